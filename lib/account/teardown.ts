import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../file/index.ts";
import { knownKind } from "../dofile/index.ts";
import {
  declares,
  isSameWorld,
  markerFiles,
  readMarker,
  type EffectEnd,
  type Marker,
  type Session,
  type Teardown,
} from "../engine/index.ts";
import { MODULE_NAMES, type ModuleName } from "../modules/contract.ts";
import { namesWithState } from "../terraform/destroy.ts";
import type { EndContext } from "./account-effect.ts";
import { moduleInstance } from "./modules.ts";
import { storedMarkers, worldOf } from "./world.ts";

/** What was applied in the present world, and how each effect ends. */
export interface AppliedEffect {
  readonly marker: Marker;
  /** The cores and things that it belongs to. */
  readonly subjects: readonly string[];
  readonly end: EffectEnd<unknown, EndContext>;
}

/**
 * Everything that the project has applied in the present world, in the reverse order of its making: what needs
 * an effect comes before it. It is found by the markers, so effects that no rule declares any more are part of
 * it, and by Terraform's states where a marker is missing.
 */
export async function appliedEffects(session: Session, context: EndContext): Promise<AppliedEffect[]> {
  const { graph, declarations } = await session.recipes();
  const { root, state } = session;
  const here = worldOf(session.observer.settings);
  const files = new Set([...markerFiles(state, graph), ...storedMarkers(root)]);
  const found = new Map<string, AppliedEffect>();
  for (const file of files) {
    const marker = readMarker(root, file);
    if (marker === undefined || !isSameWorld(marker.world, here) || found.has(marker.effect)) {
      continue;
    }
    const kind = knownKind(marker.kind);
    const step = declares(graph, state, file);
    const end = kind ?? (step === undefined ? {} : (declarations[step]?.effect ?? {}));
    found.set(marker.effect, { marker, subjects: kind?.subjects?.(marker) ?? [], end });
  }
  for (const marker of modulesWithoutMarker(context, session)) {
    const kind = knownKind(marker.kind);
    if (kind !== undefined && !found.has(marker.effect)) {
      found.set(marker.effect, { marker, subjects: kind.subjects?.(marker) ?? [], end: kind });
    }
  }
  return inReverse(found);
}

/** Each effect behind those that need it. */
function inReverse(found: ReadonlyMap<string, AppliedEffect>): AppliedEffect[] {
  const made = new Set<AppliedEffect>();
  const visit = (effect: AppliedEffect, above: readonly AppliedEffect[]): void => {
    if (made.has(effect) || above.includes(effect)) {
      return;
    }
    for (const name of effect.marker.after) {
      const below = found.get(name);
      if (below !== undefined) {
        visit(below, [...above, effect]);
      }
    }
    made.add(effect);
  };
  for (const effect of found.values()) {
    visit(effect, []);
  }
  return [...made].reverse();
}

/** Modules that Terraform has applied, or may have applied from another clone, and that have no marker here. */
function modulesWithoutMarker({ root, settings }: EndContext, session: Session): Marker[] {
  const isRemote = settings.usesTerraform && settings.terraform.backend !== "local";
  const declared: Readonly<Record<ModuleName, readonly string[]>> = {
    instance: [settings.instance.name],
    core: [...settings.cores].map(({ name }) => name),
    thing: [...settings.things].map(({ name }) => name),
  };
  return MODULE_NAMES.toReversed().flatMap((module) => {
    const names = namesWithState(root, moduleInstance({ root, settings }, module, ""));
    return [...new Set([...names, ...(isRemote ? declared[module] : [])])].map((name): Marker => ({
      file: "",
      effect: `${module} ${name}`,
      kind: module,
      name,
      version: "",
      world: worldOf(session.observer.settings),
      after: module === "instance" ? [] : [`instance ${settings.instance.name}`],
      outputs: undefined,
    }));
  });
}

/** One effect with what its end would change, in the order in which they have to go. */
export interface TeardownStep extends Teardown {
  readonly effect: string;
  /** Undoes it; only then its marker goes. */
  readonly run: () => Promise<void>;
}

/**
 * The end of some effects as steps, and those that cannot be undone: they have no way to end, or the code that
 * knows it is gone.
 */
export async function planTeardown(
  effects: readonly AppliedEffect[],
  context: EndContext,
): Promise<{ readonly steps: TeardownStep[]; readonly left: Marker[] }> {
  const steps: TeardownStep[] = [];
  const left: Marker[] = [];
  for (const { marker, end } of effects) {
    if (end.destroy === undefined) {
      left.push(marker);
      continue;
    }
    const teardown = await end.destroy(marker, context);
    steps.push({
      effect: marker.effect,
      changes: teardown?.changes ?? [],
      run: async () => {
        beginEnd(context.root, marker);
        await teardown?.run();
        forgetMarker(context.root, marker);
      },
    });
  }
  return { steps, left };
}

/**
 * From here on the marker no longer says what there is, and still remembers it: a build after an end that was
 * interrupted finds it edited and applies the effect anew, and another destroy goes on with it.
 */
function beginEnd(root: string, { file }: Marker): void {
  const path = join(root, file);
  if (file === "" || !existsSync(path)) {
    return;
  }
  const text = JSON.stringify(
    { ...(JSON.parse(readFileSync(path, "utf8")) as object), ending: true },
    null,
    2,
  );
  replaceFile(path, `${text}\n`, { mode: 0, durable: true });
}

/** Removes a marker, so that the next build applies its effect anew. */
export function forgetMarker(root: string, { file }: Marker): void {
  if (file !== "" && existsSync(join(root, file))) {
    rmSync(join(root, file));
  }
}

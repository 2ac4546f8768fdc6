import { withAccount } from "../../account/account.ts";
import { withDevices } from "../../account/data-plane.ts";
import type { Link } from "../../check/chain.ts";
import { inParallel } from "../../parallel.ts";
import { didYouMean, ProblemError, shown } from "../../problem/index.ts";
import type { CoreSettings, Settings, ThingSettings } from "../../settings/index.ts";
import type { Checked, CheckSkipped } from "../../ui/events/index.ts";
import { command } from "../command.ts";
import { jobs, text } from "../options.ts";
import { openProject } from "../project.ts";

/** Of more cores than this only what is broken is shown, unless --all. */
const SHOWN_WHOLE = 10;

/**
 * `dospesos check [CORE|THING…]`: the chain from each core's service to a message received, one line a link
 * on stdout, no further than the first that is broken. It changes nothing but sends one message per thing.
 */
export const check = command({
  options: {
    jobs,
    group: text("NAME", "only the cores of this thing group, and their things"),
    all: { type: "boolean", help: `every link, also of more than ${SHOWN_WHOLE} cores` },
  },
  exits: { 0: "no link is broken", 1: "a link is broken" },
  examples: ["check", "check core-1", "check thing-1 --json", "check --group lab"],
  locks: true,
  run: async (context) => {
    const { root, emit, signal, names, options } = context;
    const { settings } = openProject(context);
    const { cores, things } = selected(settings, names, options.group);
    const [{ coreLinks }, { thingLinks }] = await Promise.all([
      import("../../check/core-links.ts"),
      import("../../check/thing-links.ts"),
    ]);
    const isBrief = cores.length > SHOWN_WHOLE && !options.all;
    const thingsOf = byCore(things);
    return withDevices({ root, settings, log: () => {} }, () =>
      withAccount({ root, settings }, async (account) => {
        const checking = { root, account, signal };
        const report = reportInOrder(cores.length, emit);
        const counts = { cores: 0, brokenCores: 0, things: 0, brokenThings: 0, skipped: 0 };
        await inParallel(options.jobs, [...cores.entries()], async ([index, core]) => {
          signal.throwIfAborted();
          const events: (Checked | CheckSkipped)[] = [
            checked("core", core.name, await coreLinks(checking, core), isBrief),
          ];
          const isWhole = isOk(events[0]!);
          counts[isWhole ? "cores" : "brokenCores"]++;
          for (const thing of thingsOf.get(core.name) ?? []) {
            signal.throwIfAborted();
            if (!isWhole) {
              counts.skipped++;
              events.push({ type: "check-skipped", kind: "thing", name: thing.name, core: core.name });
              continue;
            }
            const event = checked("thing", thing.name, await thingLinks(checking, thing), isBrief);
            counts[isOk(event) ? "things" : "brokenThings"]++;
            events.push(event);
          }
          report(index, events);
        });
        const passed = counts.brokenCores + counts.brokenThings === 0;
        emit({ type: "check-summary", passed, ...counts });
        return passed ? 0 : 1;
      }),
    );
  },
});

function checked(kind: "core" | "thing", name: string, links: readonly Link[], isBrief: boolean): Checked {
  const broken = links.find(({ state }) => state === "broken")?.link ?? null;
  return { type: "check", kind, name, broken, links, ...(isBrief && broken === null ? { brief: true } : {}) };
}

function isOk(event: Checked | CheckSkipped): boolean {
  return event.type === "check" && event.broken === null;
}

/** Reports what is known of each core in the order of the settings, as soon as all before it is known. */
function reportInOrder<T>(
  count: number,
  emit: (event: T) => void,
): (index: number, events: readonly T[]) => void {
  const waiting = new Map<number, readonly T[]>();
  let next = 0;
  return (index, events) => {
    waiting.set(index, events);
    for (let known = waiting.get(next); next < count && known !== undefined; known = waiting.get(++next)) {
      known.forEach(emit);
      waiting.delete(next);
    }
  };
}

function byCore(things: readonly ThingSettings[]): ReadonlyMap<string, readonly ThingSettings[]> {
  const found = new Map<string, ThingSettings[]>();
  for (const thing of things) {
    found.set(thing.core, [...(found.get(thing.core) ?? []), thing]);
  }
  return found;
}

/** What was named: a thing needs its core's links, a core its own alone, and nothing named means all. */
function selected(
  settings: Settings,
  names: readonly string[],
  group: string | undefined,
): { readonly cores: readonly CoreSettings[]; readonly things: readonly ThingSettings[] } {
  const inGroup = new Set(
    [...settings.cores].filter((core) => group === undefined || core.group === group).map(({ name }) => name),
  );
  const cores = [...settings.cores].filter(({ name }) => inGroup.has(name));
  const things = [...settings.things].filter(({ core }) => inGroup.has(core));
  if (group !== undefined && cores.length === 0) {
    const known = [...settings.groups].map(({ name }) => name);
    throw unknown([group], known, "no core is in the group");
  }
  if (names.length === 0) {
    return { cores, things };
  }
  const known = [...cores, ...things].map(({ name }) => name);
  const isKnown = new Set(known);
  const missing = names.filter((name) => !isKnown.has(name));
  if (missing.length > 0) {
    throw unknown(missing, known, "there is no core and no thing");
  }
  const wanted = new Set(names);
  const chosen = things.filter(({ name, core }) => wanted.has(name) || wanted.has(core));
  const needed = new Set(chosen.map(({ core }) => core));
  return { cores: cores.filter(({ name }) => wanted.has(name) || needed.has(name)), things: chosen };
}

function unknown(names: readonly string[], known: readonly string[], what: string): ProblemError {
  return new ProblemError(
    names.map((name) => {
      const meant = didYouMean(name, known);
      return {
        code: "DP203",
        what: `${what} ${shown(name)}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
        fix: `one of ${known.slice(0, 20).join(", ")}`,
      };
    }),
  );
}

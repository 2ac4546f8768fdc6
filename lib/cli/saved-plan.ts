import { existsSync, readFileSync } from "node:fs";
import { replaceFile } from "../file/index.ts";
import type { PlannedEffect } from "../engine/index.ts";
import { ProblemError } from "../problem/index.ts";
import type { Settings } from "../settings/index.ts";
import { environmentName } from "../layout.ts";

/** What a build would change in the account, for somebody to read before another run applies exactly that. */
interface SavedPlan {
  readonly format: 1;
  /** Account, region, instance and environment that it was made for. */
  readonly world: string;
  readonly effects: readonly PlannedEffect[];
}

/** Writes a plan to a file. */
export function savePlan(file: string, settings: Settings, effects: readonly PlannedEffect[]): void {
  const plan: SavedPlan = { format: 1, world: worldOf(settings), effects };
  replaceFile(file, `${JSON.stringify(plan, null, 2)}\n`, { mode: 0o600 });
}

/** What a saved plan says to the effects of a build, batch by batch. */
export class PlanToFollow {
  readonly #file: string;
  readonly #settings: () => Settings;
  readonly #applied = new Set<string>();
  #later: readonly string[] = [];

  constructor(file: string, settings: () => Settings) {
    this.#file = file;
    this.#settings = settings;
  }

  /** The names of effects that come after all that was planned: the next plan has them. */
  get later(): readonly string[] {
    return this.#later;
  }

  /**
   * Whether effects are to be applied: they are those of the plan, made from the same and changing the same. Effects
   * that can be planned only now that the whole plan is applied are for the next one.
   * @throws ProblemError (exit 2) for a file that is no plan; (exit 4) where the plan is for another world, or no
   * longer fits.
   */
  consents(effects: readonly PlannedEffect[]): boolean {
    const plan = readPlan(this.#file);
    const world = worldOf(this.#settings());
    if (plan.world !== world) {
      throw outdated(this.#file, `it was made for ${plan.world}, this is ${world}`);
    }
    const known = new Map(plan.effects.map((effect) => [effect.name, effect]));
    const isDone = known.size > 0 && plan.effects.every(({ name }) => this.#applied.has(name));
    if (isDone && effects.every(({ name }) => !known.has(name))) {
      this.#later = effects.map(({ name }) => name);
      return false;
    }
    const others = effects.filter((effect) => !isSame(known.get(effect.name), effect));
    if (others.length > 0) {
      const names = others.slice(0, 5).map(({ name }) => name);
      const more = others.length > names.length ? ` and ${others.length - names.length} more` : "";
      throw outdated(this.#file, `it does not have these changes: ${names.join(", ")}${more}`);
    }
    for (const { name } of effects) {
      this.#applied.add(name);
    }
    return true;
  }
}

function isSame(planned: PlannedEffect | undefined, { inputs, changes }: PlannedEffect): boolean {
  return planned?.inputs === inputs && planned?.changes.join("\n") === changes.join("\n");
}

function readPlan(file: string): SavedPlan {
  try {
    const plan = JSON.parse(readFileSync(file, "utf8")) as Partial<SavedPlan>;
    if (plan.format === 1 && Array.isArray(plan.effects)) {
      return plan as SavedPlan;
    }
  } catch {
    // told below
  }
  throw new ProblemError([
    {
      code: "DP260",
      location: { file },
      what: existsSync(file) ? "this is no plan of dospesos build --plan-out" : "there is no such file",
      fix: `make one: dospesos build --plan-out ${file}`,
    },
  ]);
}

function outdated(file: string, what: string): ProblemError {
  return new ProblemError([
    {
      code: "DP261",
      location: { file },
      what: `the plan no longer fits: ${what}`,
      why: "what is applied is what somebody has read",
      fix: "make a plan anew with --plan-out, have it read, and apply that",
    },
  ]);
}

function worldOf({ aws, instance }: Settings): string {
  return [aws.account, aws.region, instance.name, environmentName()].join(" ").trimEnd();
}

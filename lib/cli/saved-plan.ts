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

/**
 * Whether effects are exactly those of a saved plan: made from the same, and changing the same.
 * @throws ProblemError (exit 2) for a file that is no plan; (exit 4) where the plan is for another world, or no longer
 * fits.
 */
export function checkPlan(file: string, settings: Settings, effects: readonly PlannedEffect[]): void {
  const plan = readPlan(file);
  const world = worldOf(settings);
  if (plan.world !== world) {
    throw outdated(file, `it was made for ${plan.world}, this is ${world}`);
  }
  const known = new Map(plan.effects.map((effect) => [effect.name, effect]));
  const others = effects.filter((effect) => {
    const one = known.get(effect.name);
    return (
      one === undefined ||
      one.inputs !== effect.inputs ||
      one.changes.join("\n") !== effect.changes.join("\n")
    );
  });
  if (others.length > 0) {
    const names = others.slice(0, 5).map(({ name }) => name);
    const more = others.length > names.length ? ` and ${others.length - names.length} more` : "";
    throw outdated(file, `it does not have these changes: ${names.join(", ")}${more}`);
  }
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

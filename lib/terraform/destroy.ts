import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { variablesFile } from "../layout.ts";
import { ProblemError } from "../problem/index.ts";
import { writeImports } from "./adopt.ts";
import { applyEventually } from "./again.ts";
import type { Terraform } from "./child.ts";
import { initialise } from "./init.ts";
import {
  moduleCopy,
  moduleFolder,
  instanceName,
  recordFile,
  stateFile,
  workFolder,
  type ModuleInstance,
} from "./module-instance.ts";
import type { ModuleWork } from "./module-work.ts";
import { changesIn, discardPlan, savePlan, type Planned } from "./plan.ts";
import { resume } from "./resume.ts";
import { changeIsDone } from "./running.ts";
import { currentState, guardCurrent, guardState } from "./state.ts";

/** The names under which a module has a state, or a record of one that lies in S3. */
export function namesWithState(root: string, where: Omit<ModuleInstance, "name" | "root">): string[] {
  const folder = join(root, moduleFolder(where));
  const files = existsSync(folder) ? readdirSync(folder) : [];
  return [
    ...new Set(files.flatMap((file) => /^(.+)\.(?:tfstate|record\.json)$/.exec(file)?.[1] ?? [])),
  ].sort();
}

/**
 * The variables of the last apply: destroy needs them to reach the same account. Undefined if they are gone.
 */
export function appliedVariables(instance: ModuleInstance): string | undefined {
  const files = [
    join(moduleCopy(instance), "dospesos.auto.tfvars.json"),
    join(instance.root, variablesFile(instance.module, instance.name)),
  ];
  const file = files.find((one) => existsSync(one));
  return file === undefined ? undefined : readFileSync(file, "utf8");
}

/**
 * Plans the end of all that a module's state knows. Undefined where it knows of nothing. Throws as planModule
 * does.
 */
export async function planDestroy(terraform: Terraform, work: ModuleWork): Promise<Planned | undefined> {
  const { instance, backend } = work;
  mkdirSync(workFolder(instance), { recursive: true, mode: 0o700 });
  await resume(terraform, instance);
  guardState(instance, backend, work.applied);
  await initialise(terraform, instance, backend, work.variablesText);
  // What the account has and the state has not is no part of this.
  writeImports(instance, []);
  const state = await currentState(terraform, instance, backend);
  guardCurrent(work, state);
  if (state === undefined) {
    return undefined;
  }
  const file = join(workFolder(instance), "plan");
  const { exit, messages } = await savePlan(terraform, work, file, ["-destroy"]);
  return { work, file, changesAnything: exit === 2, changes: changesIn(messages), strays: [] };
}

/** Applies the plan of an end, and forgets what was known of the module: its next build begins anew. */
export async function applyDestroy(terraform: Terraform, planned: Planned): Promise<void> {
  const { work, file, changesAnything, changes } = planned;
  const { instance, backend } = work;
  try {
    if (changesAnything) {
      await applyEventually(terraform, work, { file, shown: changes, planArgs: ["-destroy"] });
    }
  } finally {
    discardPlan(planned);
  }
  const left = (await currentState(terraform, instance, backend))?.resources ?? [];
  if (left.length > 0) {
    throw new ProblemError([
      {
        code: "DP409",
        what: `${instanceName(instance)}: destroyed, but the state still has ${left.map(({ address }) => address).join(", ")}`,
        fix: "run dospesos destroy again",
      },
    ]);
  }
  changeIsDone(instance);
  forgetModule(instance);
}

/** Removes the local state, which knows of nothing any more, with its record and work folder. */
export function forgetModule(instance: ModuleInstance): void {
  rmSync(workFolder(instance), { recursive: true, force: true });
  for (const file of [stateFile(instance), `${stateFile(instance)}.backup`, recordFile(instance)]) {
    rmSync(join(instance.root, file), { force: true });
  }
}

import { rmSync } from "node:fs";
import { join } from "node:path";
import type { ModuleWork } from "./module-work.ts";
import { runTerraform, type Terraform } from "./child.ts";
import { initialise } from "./init.ts";
import { workFolder } from "./module-instance.ts";
import { differing, shownPlan, type ShownPlan } from "./shown-plan.ts";
import { resume } from "./resume.ts";
import { currentState, guardState, recorded } from "./state.ts";

/** How a resource in the account differs from the state. */
export interface Drift {
  /** e.g. "aws_iot_thing.core"; "state" where somebody else has applied. */
  readonly address: string;
  readonly what: string;
}

/**
 * Looks at every resource of a module in the account (`plan -refresh-only`), and whether somebody else has
 * applied it since. Changes nothing, in the account or in the state.
 * @throws ProblemError as planModule does.
 */
export async function driftOf(terraform: Terraform, work: ModuleWork): Promise<Drift[]> {
  const { instance, backend, variablesText, parallelism } = work;
  await resume(terraform, instance);
  guardState(instance, backend, work.applied);
  await initialise(terraform, instance, backend, variablesText);
  const known = recorded(instance);
  const state = await currentState(terraform, instance, backend);
  const drift: Drift[] = [];
  if (known !== undefined && state?.lineage !== known.lineage) {
    drift.push({ address: "state", what: "is another one than was applied" });
  } else if (known !== undefined && state !== undefined && state.serial !== known.serial) {
    drift.push({
      address: "state",
      what: `was changed by somebody else: serial ${known.serial} → ${state.serial}`,
    });
  }
  const file = join(workFolder(instance), "refresh");
  try {
    const { messages } = await runTerraform(terraform, instance, {
      command: "plan",
      good: [0, 2],
      args: [
        "-refresh-only",
        "-input=false",
        "-json",
        "-detailed-exitcode",
        "-lock-timeout=20s",
        `-parallelism=${parallelism}`,
        `-out=${file}`,
      ],
    });
    if (!messages.some(({ type }) => type === "resource_drift")) {
      return drift;
    }
    return [...drift, ...driftIn(await shownPlan(terraform, instance, file))];
  } finally {
    rmSync(file, { force: true });
  }
}

/**
 * Of all that differs only what the module asks for: AWS fills in and counts up other attributes by itself,
 * and a missing value comes back as an empty one.
 */
function driftIn({ resource_drift = [], configuration }: ShownPlan): Drift[] {
  const requested = new Map(
    configuration.root_module.resources?.map(({ address, expressions = {} }) => [
      address,
      [...Object.keys(expressions), "tags_all"],
    ]),
  );
  return resource_drift.flatMap(({ address, change }) => {
    if (change.actions.includes("delete") || change.after === null) {
      return [{ address, what: "is gone from the account" }];
    }
    const names = differing(change, requested.get(address));
    return names.length === 0 ? [] : [{ address, what: `was changed in the account: ${names.join(", ")}` }];
  });
}

import { rmSync } from "node:fs";
import { join } from "node:path";
import type { ModuleWork } from "./plan.ts";
import { runTerraform, type Terraform } from "./child.ts";
import { initialise } from "./init.ts";
import { workFolder } from "./place.ts";
import { resume } from "./resume.ts";
import { currentState, guardState, recorded } from "./state.ts";

/** How a resource in the account differs from the state. */
export interface Drift {
  /** e.g. "aws_iot_thing.core"; "state" where somebody else has applied. */
  readonly address: string;
  readonly what: string;
}

/**
 * Looks at every resource of a module in the account (`plan -refresh-only`), and whether somebody else has applied it since. Changes
 * nothing, in the account or in the state.
 * @throws ProblemError as planModule does.
 */
export async function driftOf(terraform: Terraform, work: ModuleWork): Promise<Drift[]> {
  const { place, backend, variablesText, parallelism } = work;
  await resume(terraform, place);
  guardState(place, backend, work.applied);
  await initialise(terraform, place, backend, variablesText);
  const known = recorded(place);
  const state = await currentState(terraform, place, backend);
  const drift: Drift[] = [];
  if (known !== undefined && state?.lineage !== known.lineage) drift.push({ address: "state", what: "is another one than was applied" });
  else if (known !== undefined && state !== undefined && state.serial !== known.serial) drift.push({ address: "state", what: `was changed by somebody else: serial ${known.serial} → ${state.serial}` });
  const file = join(workFolder(place), "refresh");
  try {
    const { messages } = await runTerraform(terraform, place, {
      command: "plan", good: [0, 2],
      args: ["-refresh-only", "-input=false", "-json", "-detailed-exitcode", "-lock-timeout=20s", `-parallelism=${parallelism}`, `-out=${file}`],
    });
    if (!messages.some(({ type }) => type === "resource_drift")) return drift;
    const { stdout } = await runTerraform(terraform, place, { command: "show", args: ["-json", file] });
    return [...drift, ...driftIn(JSON.parse(stdout) as ShownPlan)];
  } finally {
    rmSync(file, { force: true });
    rmSync(join(workFolder(place), "show.log"), { force: true });
  }
}

/** What `terraform show -json` tells of a plan (Terraform documentation, "JSON output format"), as far as it matters here. */
interface ShownPlan {
  readonly resource_drift?: readonly { readonly address: string; readonly change: { readonly actions: readonly string[]; readonly before: Attributes | null; readonly after: Attributes | null } }[];
  readonly configuration: { readonly root_module: { readonly resources?: readonly { readonly address: string; readonly expressions?: object }[] } };
}

type Attributes = Readonly<Record<string, unknown>>;

/**
 * Of all that differs only what the module asks for: AWS fills in and counts up other attributes by itself, and a missing value
 * comes back as an empty one.
 */
function driftIn({ resource_drift = [], configuration }: ShownPlan): Drift[] {
  const asked = new Map(configuration.root_module.resources?.map(({ address, expressions = {} }) => [address, [...Object.keys(expressions), "tags_all"]]));
  return resource_drift.flatMap(({ address, change: { actions, before, after } }) => {
    if (actions.includes("delete") || after === null) return [{ address, what: "is gone from the account" }];
    const differing = (asked.get(address) ?? Object.keys(after)).filter((name) => textOf(before?.[name]) !== textOf(after[name]));
    return differing.length === 0 ? [] : [{ address, what: `was changed in the account: ${differing.join(", ")}` }];
  });
}

function textOf(value: unknown): string {
  const text = JSON.stringify(value ?? null);
  return text === "{}" || text === "[]" || text === '""' ? "null" : text;
}

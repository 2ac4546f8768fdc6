import { rmSync } from "node:fs";
import { join } from "node:path";
import { runTerraform, type Terraform } from "./child.ts";
import { workFolder, type ModuleInstance } from "./module-instance.ts";

/**
 * What `terraform show -json` tells of a plan (Terraform documentation, "JSON output format"), as far as it
 * matters here.
 */
export interface ShownPlan {
  readonly resource_changes?: readonly ShownChange[];
  readonly resource_drift?: readonly ShownChange[];
  readonly configuration: {
    readonly root_module: {
      readonly resources?: readonly { readonly address: string; readonly expressions?: object }[];
    };
  };
}

export interface ShownChange {
  readonly address: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before: Attributes | null;
    readonly after: Attributes | null;
    /** Attributes that are known only after the apply. */
    readonly after_unknown?: Attributes;
    /** Why it has to be made anew: paths of attributes. */
    readonly replace_paths?: readonly (readonly (string | number)[])[];
  };
}

type Attributes = Readonly<Record<string, unknown>>;

/** A saved plan in full. It holds values in clear, so nothing of it stays on the disk. */
export async function shownPlan(
  terraform: Terraform,
  instance: ModuleInstance,
  file: string,
): Promise<ShownPlan> {
  try {
    const { stdout } = await runTerraform(terraform, instance, { command: "show", args: ["-json", file] });
    return JSON.parse(stdout) as ShownPlan;
  } finally {
    rmSync(join(workFolder(instance), "show.log"), { force: true });
  }
}

/** The attributes that differ, where a missing value and an empty one count as equal. */
export function differing(
  { before, after, after_unknown: unknown = {} }: ShownChange["change"],
  names: readonly string[] = Object.keys({ ...before, ...after }),
): string[] {
  return names.filter((name) => unknown[name] !== true && textOf(before?.[name]) !== textOf(after?.[name]));
}

function textOf(value: unknown): string {
  const text = JSON.stringify(value ?? null);
  return text === "{}" || text === "[]" || text === '""' ? "null" : text;
}

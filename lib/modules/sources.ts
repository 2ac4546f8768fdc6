import type { ModuleName } from "./contract.ts";

/** What belongs to the folder that is somebody's by hand: states, variables, plans, crash logs, tests. */
const NOT_SOURCES =
  "*.tfstate|*.tfstate.*|*.tfvars|*.tfvars.json|*.tfplan|crash.log|crash.*.log|*.tftest.hcl";

/**
 * The files of a module, as a pattern of fast-glob: its `.tf` and `.tf.json` files, templates, scripts, and the local
 * modules below it. Hidden ones (`.terraform`, the lock file) are not among them.
 */
export function moduleSources(module: ModuleName): string {
  return `terraform/${module}/**/!(${NOT_SOURCES})`;
}

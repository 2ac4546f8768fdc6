import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ProblemError } from "../problem/index.ts";
import type { Backend } from "./backend.ts";
import { instanceName, recordFile, stateFile, workFolder, type ModuleInstance } from "./module-instance.ts";

/**
 * Refuses to take a module over whose state lies where this clone cannot set it aside.
 * @throws ProblemError with exit code 4.
 */
export function guardRelease(instance: ModuleInstance, backend: Backend): void {
  if (backend.kind === "local" || !existsSync(join(instance.root, recordFile(instance)))) {
    return;
  }
  throw new ProblemError([
    {
      code: "DP421",
      location: { file: recordFile(instance) },
      what: `${instanceName(instance)} is in a Terraform state in S3, and the settings say registry = api`,
      why: "two that each hold it for theirs would undo each other's work",
      fix: "leave registry = terraform in its section; or take its resources out with terraform state rm, and remove this file",
    },
  ]);
}

/** Sets the state of a module aside that the registry's API has taken over: nothing of it is destroyed. */
export function releaseState(instance: ModuleInstance): boolean {
  const state = join(instance.root, stateFile(instance));
  if (!existsSync(state)) {
    return false;
  }
  renameSync(state, `${state}.released`);
  rmSync(join(instance.root, recordFile(instance)), { force: true });
  rmSync(workFolder(instance), { recursive: true, force: true });
  return true;
}

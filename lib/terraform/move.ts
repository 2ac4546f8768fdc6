import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { ProblemError } from "../problem/index.ts";
import { putNewObject, type StateStore } from "../aws/state-bucket.ts";
import { stateKey, type S3Backend } from "./backend.ts";
import { runTerraform, type Terraform } from "./child.ts";
import { initialise } from "./init.ts";
import { instanceName, stateFile } from "./module-instance.ts";
import type { ModuleWork } from "./module-work.ts";
import { resume } from "./resume.ts";
import { currentState, localState, record } from "./state.ts";

/**
 * Moves a module's local state to S3; the file stays as `<name>.tfstate.moved`. Gives whether there was one
 * to move.
 * @throws ProblemError (exit 4) where S3 has another state in that place.
 */
export async function moveState(
  terraform: Terraform,
  work: ModuleWork & { readonly backend: S3Backend },
  store: StateStore,
): Promise<boolean> {
  const { instance, backend } = work;
  const local = localState(instance);
  if (local === undefined) {
    return false;
  }
  await resume(terraform, instance);
  await initialise(terraform, instance, backend, work.variablesText);
  const remote = await currentState(terraform, instance, backend);
  if (remote !== undefined && remote.lineage !== local.lineage) {
    throw new ProblemError([
      {
        code: "DP416",
        location: { file: stateFile(instance) },
        what: `${instanceName(instance)}: S3 has another state in its place: lineage ${remote.lineage}, here ${local.lineage}`,
        why: "one of the two would be lost, and what it knows of with it",
        fix: "set another [terraform] prefix; or remove the local file if the state in S3 is the right one",
      },
    ]);
  }
  const file = join(instance.root, stateFile(instance));
  // `state push` gives a state in an empty place another lineage, and would part it from its record.
  if (remote === undefined) {
    await putNewObject({ ...store, key: stateKey(backend, instance), body: readFileSync(file, "utf8") });
  } else if (remote.serial < local.serial) {
    await runTerraform(terraform, instance, { command: "state", args: ["push", file] });
  }
  const moved = await currentState(terraform, instance, backend);
  if (moved?.lineage !== local.lineage) {
    throw new ProblemError([
      {
        code: "DP417",
        location: { file: stateFile(instance) },
        what: `${instanceName(instance)}: what S3 has now is not the state that was moved`,
        fix: "copy the file there by hand",
      },
    ]);
  }
  renameSync(file, `${file}.moved`);
  record(instance, moved);
  return true;
}

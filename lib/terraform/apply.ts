import { ProblemError } from "../problem/index.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { deleteCertificate } from "../aws/certificates.ts";
import { runTerraform, type Terraform } from "./child.ts";
import { instanceName } from "./module-instance.ts";
import { discardPlan, type Planned } from "./plan.ts";
import { changeIsDone } from "./running.ts";
import { currentState, record, type State } from "./state.ts";

/**
 * Applies exactly the plan that was saved, and gives the state that it led to.
 * @throws ProblemError: exit 4 where somebody else applied meanwhile or holds the lock; else with Terraform's
 * own errors.
 */
export async function applyPlan(terraform: Terraform, access: AwsAccess, planned: Planned): Promise<State> {
  const {
    work: { instance, backend, variables, parallelism },
    file,
    changesAnything,
    changes,
    strays,
  } = planned;
  try {
    if (changesAnything) {
      if (changes.length > 0) {
        terraform.report(
          `${instanceName(instance)}: ${terraform.name} makes ${changes.length} ${changes.length === 1 ? "change" : "changes"}`,
        );
      }
      await runTerraform(terraform, instance, {
        command: "apply",
        args: ["-input=false", "-json", "-lock-timeout=20s", `-parallelism=${parallelism}`, file],
      });
    }
  } finally {
    discardPlan(planned);
  }
  const state = await currentState(terraform, instance, backend);
  if (state === undefined || state.outputs["revision"] !== variables["revision"]) {
    throw new ProblemError([
      {
        code: "DP408",
        what: `${instanceName(instance)}: the state does not show that these variables were applied`,
        why: "what is made from its outputs would be wrong",
        fix: "let the module's output revision be the one that it was given, and build again",
      },
    ]);
  }
  for (const certificate of strays) {
    await deleteCertificate(access, certificate);
  }
  changeIsDone(instance);
  record(instance, state);
  return state;
}

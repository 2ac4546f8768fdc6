import { ProblemError } from "../problem/index.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { deleteCertificate } from "../aws/certificates.ts";
import { runTerraform, type Terraform } from "./child.ts";
import { placeName } from "./place.ts";
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
    work: { place, backend, variables, parallelism },
    file,
    changesAnything,
    changes,
    strays,
  } = planned;
  try {
    if (changesAnything) {
      if (changes.length > 0) {
        terraform.tell(
          `${placeName(place)}: ${terraform.name} makes ${changes.length} ${changes.length === 1 ? "change" : "changes"}`,
        );
      }
      await runTerraform(terraform, place, {
        command: "apply",
        args: ["-input=false", "-json", "-lock-timeout=20s", `-parallelism=${parallelism}`, file],
      });
    }
  } finally {
    discardPlan(planned);
  }
  const state = await currentState(terraform, place, backend);
  if (state === undefined || state.outputs["revision"] !== variables["revision"]) {
    throw new ProblemError([
      {
        code: "DP408",
        what: `${placeName(place)}: the state does not tell that these variables were applied`,
        why: "what is made from its outputs would be wrong",
        fix: "let the module's output revision be the one that it was given, and build again",
      },
    ]);
  }
  for (const certificate of strays) {
    await deleteCertificate(access, certificate);
  }
  changeIsDone(place);
  record(place, state);
  return state;
}

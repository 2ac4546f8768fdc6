import { ProblemError } from "../problem/index.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { deleteCertificate } from "../aws/certificates.ts";
import { applyEventually } from "./again.ts";
import type { Terraform } from "./child.ts";
import { instanceName } from "./module-instance.ts";
import type { ModuleWork } from "./module-work.ts";
import { changesIn, discardPlan, ready, strayCertificates, type Planned } from "./plan.ts";
import { changeIsDone } from "./running.ts";
import { currentState, record, type State } from "./state.ts";

/**
 * Applies exactly the plan that was saved, and gives the state that it led to.
 * @throws ProblemError: exit 4 where somebody else applied meanwhile or holds the lock; else with Terraform's
 * own errors.
 */
export async function applyPlan(terraform: Terraform, access: AwsAccess, planned: Planned): Promise<State> {
  const { work, file, changesAnything, changes, strays } = planned;
  try {
    if (changesAnything) {
      if (changes.length > 0) {
        terraform.report(
          `${instanceName(work.instance)}: ${terraform.name} makes ${changes.length} ${changes.length === 1 ? "change" : "changes"}`,
        );
      }
      await applyEventually(terraform, work, { file, shown: changes, planArgs: [] });
    }
  } finally {
    discardPlan(planned);
  }
  const state = await appliedState(terraform, work);
  return await finish(access, work, state, strays);
}

/**
 * Plans and applies in one go, where nobody is asked: Terraform starts its provider, which takes most of the time,
 * once less. Throws as planModule and applyPlan do.
 */
export async function applyUnasked(
  terraform: Terraform,
  access: AwsAccess,
  work: ModuleWork,
): Promise<State> {
  const { cut } = await ready(terraform, access, work);
  terraform.report(`${instanceName(work.instance)}: ${terraform.name} plans and applies`);
  const messages = await applyEventually(terraform, work, "unasked");
  const state = await appliedState(terraform, work);
  const strays = await strayCertificates(access, work, { state, cut, changes: changesIn(messages) });
  return await finish(access, work, state, strays);
}

async function appliedState(
  terraform: Terraform,
  { instance, backend, variables }: ModuleWork,
): Promise<State> {
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
  return state;
}

async function finish(
  access: AwsAccess,
  { instance }: ModuleWork,
  state: State,
  strays: readonly string[],
): Promise<State> {
  for (const certificate of strays) {
    await deleteCertificate(access, certificate);
  }
  changeIsDone(instance);
  record(instance, state);
  return state;
}

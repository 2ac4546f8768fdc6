import { checkAccount } from "../aws/caller.ts";
import type { RegistryAccess } from "./access.ts";
import { convergeIdentity } from "./identity.ts";
import type { ThingOutputs, ThingVars } from "../modules/contract.ts";

/**
 * Makes a client thing's cloud side what the variables say: the thing, its certificate and its policy.
 * @throws ProblemError: exit 4 where the thing or policy is somebody else's or the account is another one; 1
 * where AWS refuses.
 */
export async function applyThing(registry: RegistryAccess, vars: ThingVars): Promise<ThingOutputs> {
  await checkAccount(registry.access, vars.account);
  const policy = { name: vars.policy, document: vars.policy_document };
  const identity = { ...vars, nextCsr: vars.next_csr, policy, sharedPolicies: [] };
  const { isNew: _, ...outputs } = await convergeIdentity(registry, identity);
  return { ...outputs, revision: vars.revision };
}

import { call } from "../aws/call.ts";
import { checkAccount } from "../aws/caller.ts";
import type { AwsAccess } from "../aws/clients.ts";
import type { RegistryAccess } from "./access.ts";
import { ownerOf } from "../aws/thing-group.ts";
import { convergeIdentity } from "./identity.ts";
import type { CoreOutputs, CoreVars } from "../modules/contract.ts";

/**
 * Makes a Greengrass core's cloud side what the variables say: its thing, certificate, own policy, and its
 * group. The group and the instance's shared policy exist already.
 * @throws ProblemError: exit 4 where the thing or policy is somebody else's or the account is another one; 1
 * where AWS refuses.
 */
export async function applyCore(registry: RegistryAccess, vars: CoreVars): Promise<CoreOutputs> {
  const { access } = registry;
  await checkAccount(access, vars.account);
  const policy = { name: vars.device_policy, document: vars.device_policy_document };
  const identity = { ...vars, nextCsr: vars.next_csr, policy, sharedPolicies: [vars.core_policy] };
  const { isNew, ...outputs } = await convergeIdentity(registry, identity);
  await (isNew ? joinGroup(access, vars.name, vars.group) : convergeGroup(access, vars));
  return { ...outputs, revision: vars.revision };
}

export async function joinGroup(access: AwsAccess, thingName: string, group: string): Promise<void> {
  const { AddThingToThingGroupCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  await call({ action: "iot:AddThingToThingGroup", resource: `${thingName} to ${group}` }, () =>
    iot.send(new AddThingToThingGroupCommand({ thingName, thingGroupName: group })),
  );
}

/** Adds the core to its group and takes it out of other groups of the instance. */
export async function convergeGroup(
  access: AwsAccess,
  { name: thingName, group, instance }: Pick<CoreVars, "name" | "group" | "instance">,
): Promise<void> {
  const { ListThingGroupsForThingCommand, RemoveThingFromThingGroupCommand } =
    await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const { thingGroups = [] } = await call(
    { action: "iot:ListThingGroupsForThing", resource: thingName },
    () => iot.send(new ListThingGroupsForThingCommand({ thingName })),
  );
  if (!thingGroups.some(({ groupName }) => groupName === group)) {
    await joinGroup(access, thingName, group);
  }
  for (const { groupName, groupArn = "" } of thingGroups) {
    if (groupName === group || (await ownerOf(access, groupArn)) !== instance) {
      continue;
    }
    await call({ action: "iot:RemoveThingFromThingGroup", resource: `${thingName} from ${groupName}` }, () =>
      iot.send(new RemoveThingFromThingGroupCommand({ thingName, thingGroupName: groupName })),
    );
  }
}

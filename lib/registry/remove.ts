import { call, deletion, lookUp } from "../aws/call.ts";
import { deleteCertificate } from "../aws/certificates.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { INSTANCE_ATTRIBUTE, instanceOf } from "../aws/ownership.ts";
import { ownerOf } from "../aws/thing-group.ts";
import type { InstanceOutputs } from "../modules/contract.ts";

/**
 * The end of what applyCore or applyThing made: certificates first, then the thing and the policies that only
 * it had.
 */
export async function removeIdentity(access: AwsAccess, thingName: string, instance: string): Promise<void> {
  const {
    DeleteThingCommand,
    DescribeThingCommand,
    ListAttachedPoliciesCommand,
    ListThingGroupsForThingCommand,
    ListThingPrincipalsCommand,
    RemoveThingFromThingGroupCommand,
  } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const found = await lookUp({ action: "iot:DescribeThing", resource: thingName }, () =>
    iot.send(new DescribeThingCommand({ thingName })),
  );
  if (found?.attributes?.[INSTANCE_ATTRIBUTE] !== instance) {
    return;
  }
  const policies = new Set<string>();
  const { principals = [] } = await call({ action: "iot:ListThingPrincipals", resource: thingName }, () =>
    iot.send(new ListThingPrincipalsCommand({ thingName })),
  );
  for (const target of principals) {
    const attached = await call({ action: "iot:ListAttachedPolicies", resource: target }, () =>
      iot.send(new ListAttachedPoliciesCommand({ target })),
    );
    for (const { policyName } of attached.policies ?? []) {
      if (policyName !== undefined) {
        policies.add(policyName);
      }
    }
    await deleteCertificate(access, target.slice(target.lastIndexOf("/") + 1));
  }
  const { thingGroups = [] } = await call(
    { action: "iot:ListThingGroupsForThing", resource: thingName },
    () => iot.send(new ListThingGroupsForThingCommand({ thingName })),
  );
  for (const { groupName: thingGroupName } of thingGroups) {
    await call({ action: "iot:RemoveThingFromThingGroup", resource: thingName }, () =>
      iot.send(new RemoveThingFromThingGroupCommand({ thingName, thingGroupName })),
    );
  }
  await deletion({ action: "iot:DeleteThing", resource: thingName }, () =>
    iot.send(new DeleteThingCommand({ thingName })),
  );
  for (const policy of policies) {
    await removeUnusedPolicy(access, policy, instance, principals);
  }
}

/** The end of what applyInstance made, after all that used it. */
export async function removeInstance(
  access: AwsAccess,
  outputs: Pick<InstanceOutputs, "core_policy" | "token_exchange_alias" | "token_exchange_role_arn">,
  instance: string,
): Promise<void> {
  const { DeleteRoleAliasCommand, DescribeRoleAliasCommand } = await import("@aws-sdk/client-iot");
  const { DeleteRoleCommand, DeleteRolePolicyCommand, GetRoleCommand, ListRolePoliciesCommand } =
    await import("@aws-sdk/client-iam");
  const [iot, iam] = [await access.iot(), await access.iam()];
  await removeUnusedPolicy(access, outputs.core_policy, instance);
  const roleAlias = outputs.token_exchange_alias;
  const alias = await lookUp({ action: "iot:DescribeRoleAlias", resource: roleAlias }, () =>
    iot.send(new DescribeRoleAliasCommand({ roleAlias })),
  );
  if (
    alias !== undefined &&
    (await ownerOf(access, alias.roleAliasDescription?.roleAliasArn ?? "")) === instance
  ) {
    await deletion({ action: "iot:DeleteRoleAlias", resource: roleAlias }, () =>
      iot.send(new DeleteRoleAliasCommand({ roleAlias })),
    );
  }
  const RoleName = outputs.token_exchange_role_arn.slice(
    outputs.token_exchange_role_arn.lastIndexOf("/") + 1,
  );
  const role = await lookUp({ action: "iam:GetRole", resource: RoleName }, () =>
    iam.send(new GetRoleCommand({ RoleName })),
  );
  if (role === undefined || instanceOf(role.Role?.Tags) !== instance) {
    return;
  }
  const { PolicyNames = [] } = await call({ action: "iam:ListRolePolicies", resource: RoleName }, () =>
    iam.send(new ListRolePoliciesCommand({ RoleName })),
  );
  for (const PolicyName of PolicyNames) {
    await call({ action: "iam:DeleteRolePolicy", resource: RoleName }, () =>
      iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName })),
    );
  }
  await deletion({ action: "iam:DeleteRole", resource: RoleName }, () =>
    iam.send(new DeleteRoleCommand({ RoleName })),
  );
}

/** Deletes an IoT policy of the instance that is attached to nothing. AWS may still list the principals in `gone`. */
async function removeUnusedPolicy(
  access: AwsAccess,
  policyName: string,
  instance: string,
  gone: readonly string[] = [],
): Promise<void> {
  const {
    DeletePolicyCommand,
    DeletePolicyVersionCommand,
    GetPolicyCommand,
    ListPolicyVersionsCommand,
    paginateListTargetsForPolicy,
  } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const operation = (action: string) => ({ action: `iot:${action}`, resource: policyName });
  const found = await lookUp(operation("GetPolicy"), () => iot.send(new GetPolicyCommand({ policyName })));
  if (found === undefined || (await ownerOf(access, found.policyArn ?? "")) !== instance) {
    return;
  }
  const targets = await call(operation("ListTargetsForPolicy"), async () => {
    const all: string[] = [];
    for await (const part of paginateListTargetsForPolicy({ client: iot }, { policyName })) {
      all.push(...(part.targets ?? []));
    }
    return all;
  });
  if (targets.some((target) => !gone.includes(target))) {
    return;
  }
  const { policyVersions = [] } = await call(operation("ListPolicyVersions"), () =>
    iot.send(new ListPolicyVersionsCommand({ policyName })),
  );
  for (const { versionId, isDefaultVersion } of policyVersions) {
    if (isDefaultVersion !== true) {
      await call(operation("DeletePolicyVersion"), () =>
        iot.send(new DeletePolicyVersionCommand({ policyName, policyVersionId: versionId })),
      );
    }
  }
  await deletion(operation("DeletePolicy"), () => iot.send(new DeletePolicyCommand({ policyName })));
}

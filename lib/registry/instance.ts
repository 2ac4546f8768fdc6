import { call, lookUp } from "../aws/call.ts";
import { checkAccount } from "../aws/caller.ts";
import type { AwsAccess } from "../aws/clients.ts";
import type { RegistryAccess } from "./access.ts";
import { checkOwner, instanceOf, instanceTags } from "../aws/ownership.ts";
import { ownerOf } from "../aws/thing-group.ts";
import { convergePolicy } from "./iot-policy.ts";
import type { InstanceOutputs, InstanceVars } from "../modules/contract.ts";

/** The name of the inline policy of the token exchange role. */
const INLINE_POLICY = "token-exchange";

const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Principal: { Service: "credentials.iot.amazonaws.com" }, Action: "sts:AssumeRole" },
  ],
});

/** How long the credentials of a core live: AWS's default. */
const CREDENTIAL_SECONDS = 3600;

/**
 * Makes the shared resources of an instance what the variables say; does nothing where they are so already.
 * @throws ProblemError: exit 4 where a resource of that name is somebody else's or the account is another
 * one; 1 where AWS refuses.
 */
export async function applyInstance(
  { access }: RegistryAccess,
  vars: InstanceVars,
): Promise<InstanceOutputs> {
  await checkAccount(access, vars.account);
  const roleArn = await convergeRole(access, vars);
  const aliasArn = await convergeAlias(access, vars, roleArn);
  await convergePolicy(access, vars.core_policy, vars.core_policy_document, vars.instance);
  return {
    region: vars.region,
    account: vars.account,
    token_exchange_role_arn: roleArn,
    token_exchange_alias: vars.token_exchange_alias,
    token_exchange_alias_arn: aliasArn,
    core_policy: vars.core_policy,
    data_endpoint: await endpoint(access, "iot:Data-ATS"),
    credentials_endpoint: await endpoint(access, "iot:CredentialProvider"),
    revision: vars.revision,
  };
}

async function convergeRole(access: AwsAccess, vars: InstanceVars): Promise<string> {
  const {
    CreateRoleCommand,
    GetRoleCommand,
    GetRolePolicyCommand,
    PutRolePolicyCommand,
    UpdateAssumeRolePolicyCommand,
  } = await import("@aws-sdk/client-iam");
  const iam = await access.iam();
  const RoleName = vars.token_exchange_role;
  const found = (
    await lookUp({ action: "iam:GetRole", resource: RoleName }, () =>
      iam.send(new GetRoleCommand({ RoleName })),
    )
  )?.Role;
  if (found !== undefined) {
    checkOwner(`the role ${RoleName}`, instanceOf(found.Tags), vars.instance);
  }
  const role =
    found ??
    (
      await call({ action: "iam:CreateRole", resource: RoleName }, () =>
        iam.send(
          new CreateRoleCommand({
            RoleName,
            AssumeRolePolicyDocument: TRUST,
            Tags: instanceTags(vars.instance),
          }),
        ),
      )
    ).Role;
  if (decoded(role?.AssumeRolePolicyDocument) !== TRUST) {
    await call({ action: "iam:UpdateAssumeRolePolicy", resource: RoleName }, () =>
      iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: TRUST })),
    );
  }
  const inline = await lookUp({ action: "iam:GetRolePolicy", resource: RoleName }, () =>
    iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: INLINE_POLICY })),
  );
  if (decoded(inline?.PolicyDocument) !== vars.token_exchange_policy) {
    await call({ action: "iam:PutRolePolicy", resource: RoleName }, () =>
      iam.send(
        new PutRolePolicyCommand({
          RoleName,
          PolicyName: INLINE_POLICY,
          PolicyDocument: vars.token_exchange_policy,
        }),
      ),
    );
  }
  return role?.Arn ?? "";
}

/** IAM answers with documents percent-encoded. */
function decoded(document: string | undefined): string | undefined {
  return document === undefined ? undefined : decodeURIComponent(document);
}

async function convergeAlias(access: AwsAccess, vars: InstanceVars, roleArn: string): Promise<string> {
  const { CreateRoleAliasCommand, DescribeRoleAliasCommand, UpdateRoleAliasCommand } =
    await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const roleAlias = vars.token_exchange_alias;
  const wanted = { roleAlias, roleArn, credentialDurationSeconds: CREDENTIAL_SECONDS };
  const found = (
    await lookUp({ action: "iot:DescribeRoleAlias", resource: roleAlias }, () =>
      iot.send(new DescribeRoleAliasCommand({ roleAlias })),
    )
  )?.roleAliasDescription;
  if (found === undefined) {
    const made = await call({ action: "iot:CreateRoleAlias", resource: roleAlias }, () =>
      iot.send(new CreateRoleAliasCommand({ ...wanted, tags: instanceTags(vars.instance) })),
    );
    return made.roleAliasArn ?? "";
  }
  const arn = found.roleAliasArn ?? "";
  checkOwner(`the role alias ${roleAlias}`, await ownerOf(access, arn), vars.instance);
  if (found.roleArn !== roleArn || found.credentialDurationSeconds !== CREDENTIAL_SECONDS) {
    await call({ action: "iot:UpdateRoleAlias", resource: roleAlias }, () =>
      iot.send(new UpdateRoleAliasCommand(wanted)),
    );
  }
  return arn;
}

async function endpoint(access: AwsAccess, endpointType: string): Promise<string> {
  const { DescribeEndpointCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const { endpointAddress } = await call({ action: "iot:DescribeEndpoint", resource: endpointType }, () =>
    iot.send(new DescribeEndpointCommand({ endpointType })),
  );
  return endpointAddress ?? "";
}

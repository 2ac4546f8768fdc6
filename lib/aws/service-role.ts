import { call, deletion, lookUp } from "./call.ts";
import type { AwsAccess } from "./clients.ts";
import { checkOwner, instanceOf, instanceTags } from "./ownership.ts";
import { partitionOf } from "./partition.ts";

/** A resource that several instances may share, and whether this one made it and so may remove it. */
export interface Shared {
  readonly arn: string;
  readonly ours: boolean;
}

export interface ServiceRoleOptions {
  readonly instance: string;
  /** 12 digits */
  readonly account: string;
  readonly roleName: string;
}

/**
 * The Greengrass service role that is associated with the account in this region. An association that exists
 * is left alone; only where there is none is a role made and associated.
 * https://docs.aws.amazon.com/greengrass/v2/APIReference/API_GetServiceRoleForAccount.html
 * https://docs.aws.amazon.com/greengrass/v2/APIReference/API_AssociateServiceRoleToAccount.html
 */
export async function ensureServiceRole(access: AwsAccess, options: ServiceRoleOptions): Promise<Shared> {
  const { AssociateServiceRoleToAccountCommand, GetServiceRoleForAccountCommand } =
    await import("@aws-sdk/client-greengrassv2");
  const greengrass = await access.greengrass();
  const operation = { action: "greengrass:GetServiceRoleForAccount", resource: access.region };
  const associated = (await lookUp(operation, () => greengrass.send(new GetServiceRoleForAccountCommand({}))))
    ?.roleArn;
  if (associated !== undefined) {
    return { arn: associated, ours: await isOurs(access, associated, options) };
  }
  const arn = await ensureRole(access, options);
  await call({ action: "greengrass:AssociateServiceRoleToAccount", resource: arn }, () =>
    greengrass.send(new AssociateServiceRoleToAccountCommand({ roleArn: arn })),
  );
  return { arn, ours: true };
}

/**
 * Takes the service role away from the account, and deletes it, if this instance made it. Gives whether it
 * did. https://docs.aws.amazon.com/greengrass/v2/APIReference/API_DisassociateServiceRoleFromAccount.html
 */
export async function removeServiceRole(access: AwsAccess, options: ServiceRoleOptions): Promise<boolean> {
  const { DisassociateServiceRoleFromAccountCommand, GetServiceRoleForAccountCommand } =
    await import("@aws-sdk/client-greengrassv2");
  const { DeleteRoleCommand, DetachRolePolicyCommand, ListAttachedRolePoliciesCommand } =
    await import("@aws-sdk/client-iam");
  const { instance, roleName: RoleName } = options;
  const role = await findRole(access, RoleName);
  if (role === undefined || instanceOf(role.Tags) !== instance) {
    return false;
  }
  const greengrass = await access.greengrass();
  const associated = await lookUp(
    { action: "greengrass:GetServiceRoleForAccount", resource: access.region },
    () => greengrass.send(new GetServiceRoleForAccountCommand({})),
  );
  if (associated?.roleArn === role.Arn) {
    await call({ action: "greengrass:DisassociateServiceRoleFromAccount", resource: access.region }, () =>
      greengrass.send(new DisassociateServiceRoleFromAccountCommand({})),
    );
  }
  const iam = await access.iam();
  const { AttachedPolicies = [] } = await call(
    { action: "iam:ListAttachedRolePolicies", resource: RoleName },
    () => iam.send(new ListAttachedRolePoliciesCommand({ RoleName })),
  );
  for (const { PolicyArn } of AttachedPolicies) {
    await call({ action: "iam:DetachRolePolicy", resource: RoleName }, () =>
      iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn })),
    );
  }
  await deletion({ action: "iam:DeleteRole", resource: RoleName }, () =>
    iam.send(new DeleteRoleCommand({ RoleName })),
  );
  return true;
}

async function isOurs(
  access: AwsAccess,
  roleArn: string,
  { instance, roleName }: ServiceRoleOptions,
): Promise<boolean> {
  if (!roleArn.endsWith(`/${roleName}`)) {
    return false;
  }
  return instanceOf((await findRole(access, roleName))?.Tags) === instance;
}

async function findRole(access: AwsAccess, roleName: string) {
  const { GetRoleCommand } = await import("@aws-sdk/client-iam");
  const iam = await access.iam();
  const found = await lookUp({ action: "iam:GetRole", resource: roleName }, () =>
    iam.send(new GetRoleCommand({ RoleName: roleName })),
  );
  return found?.Role;
}

async function ensureRole(
  access: AwsAccess,
  { instance, account, roleName }: ServiceRoleOptions,
): Promise<string> {
  const { AttachRolePolicyCommand } = await import("@aws-sdk/client-iam");
  const partition = partitionOf(access.region).name;
  const found = await findRole(access, roleName);
  if (found !== undefined) {
    checkOwner(`the role ${roleName}`, instanceOf(found.Tags), instance);
  }
  const arn = found?.Arn ?? (await createRole(access, roleName, instance, trustPolicy(partition, account)));
  const PolicyArn = `arn:${partition}:iam::aws:policy/service-role/AWSGreengrassResourceAccessRolePolicy`;
  const iam = await access.iam();
  await call({ action: "iam:AttachRolePolicy", resource: roleName }, () =>
    iam.send(new AttachRolePolicyCommand({ RoleName: roleName, PolicyArn })),
  );
  return arn;
}

/** Waits until IAM shows the new role everywhere it is asked: before that no service may be given it. */
async function createRole(
  access: AwsAccess,
  roleName: string,
  instance: string,
  trust: object,
): Promise<string> {
  const { CreateRoleCommand, waitUntilRoleExists } = await import("@aws-sdk/client-iam");
  const iam = await access.iam();
  const operation = { action: "iam:CreateRole", resource: roleName };
  const { Role } = await call(operation, () =>
    iam.send(
      new CreateRoleCommand({
        RoleName: roleName,
        AssumeRolePolicyDocument: JSON.stringify(trust),
        Tags: instanceTags(instance),
      }),
    ),
  );
  await call(operation, () => waitUntilRoleExists({ client: iam, maxWaitTime: 60 }, { RoleName: roleName }));
  return Role?.Arn ?? "";
}

/**
 * Lets Greengrass assume the role on behalf of this account only, against the confused deputy. A role belongs
 * to no region and one may be associated in several, hence the * for the region
 * (https://docs.aws.amazon.com/greengrass/v2/developerguide/cross-service-confused-deputy-prevention.html).
 */
function trustPolicy(partition: string, account: string): object {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "greengrass.amazonaws.com" },
        Action: "sts:AssumeRole",
        Condition: {
          StringEquals: { "aws:SourceAccount": account },
          ArnLike: { "aws:SourceArn": `arn:${partition}:greengrass:*:${account}:*` },
        },
      },
    ],
  };
}

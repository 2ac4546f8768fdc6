import { rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../file/index.ts";
import { lookUp } from "../aws/call.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { checkOwner, INSTANCE_ATTRIBUTE, instanceOf } from "../aws/ownership.ts";
import { ownerOf } from "../aws/thing-group.ts";
import { modules, type ModuleName } from "../modules/contract.ts";
import { moduleCopy, type ModuleInstance } from "./module-instance.ts";

/** A resource that a person gives its name, so that it can be there already when Terraform would make it. */
export interface ImportTarget {
  /** e.g. "aws_iot_thing.core" */
  readonly address: string;
  readonly name: string;
}

/** What of a module has a name of its own, from its variables. */
export function namedResources(
  module: ModuleName,
  variables: Readonly<Record<string, string>>,
): ImportTarget[] {
  return Object.entries(modules[module].imports).flatMap(([address, variable]) => {
    const name = variables[variable];
    return name === undefined ? [] : [{ address, name }];
  });
}

/**
 * Those of the resources that exist in the account and are the instance's: what an apply that was interrupted left
 * behind, or what was made without this state. A plan that would make them anew is to adopt them.
 * @throws ProblemError (exit 4) where one of them is somebody else's.
 */
export async function existing(
  access: AwsAccess,
  resources: readonly ImportTarget[],
  instance: string,
): Promise<ImportTarget[]> {
  const found = await Promise.all(
    resources.map(async (one) => {
      const [type = ""] = one.address.split(".");
      const owner = await owners[type]?.(access, one.name);
      if (owner === undefined) {
        return [];
      }
      checkOwner(`${labels[type] ?? type} ${one.name}`, owner.instance, instance);
      return [one];
    }),
  );
  return found.flat();
}

const labels: Readonly<Record<string, string>> = {
  aws_iam_role: "the role",
  aws_iot_role_alias: "the role alias",
  aws_iot_policy: "the IoT policy",
  aws_iot_thing: "the thing",
};

type Owner = { readonly instance: string | undefined } | undefined;

/** By type of resource: whose it is, or undefined where it does not exist. */
const owners: Readonly<Record<string, (access: AwsAccess, name: string) => Promise<Owner>>> = {
  aws_iam_role: async (access, RoleName) => {
    const { GetRoleCommand } = await import("@aws-sdk/client-iam");
    const iam = await access.iam();
    const found = await lookUp({ action: "iam:GetRole", resource: RoleName }, () =>
      iam.send(new GetRoleCommand({ RoleName })),
    );
    return found === undefined ? undefined : { instance: instanceOf(found.Role?.Tags) };
  },
  aws_iot_role_alias: async (access, roleAlias) => {
    const { DescribeRoleAliasCommand } = await import("@aws-sdk/client-iot");
    const iot = await access.iot();
    const found = await lookUp({ action: "iot:DescribeRoleAlias", resource: roleAlias }, () =>
      iot.send(new DescribeRoleAliasCommand({ roleAlias })),
    );
    return found === undefined
      ? undefined
      : { instance: await ownerOf(access, found.roleAliasDescription?.roleAliasArn ?? "") };
  },
  aws_iot_policy: async (access, policyName) => {
    const { GetPolicyCommand } = await import("@aws-sdk/client-iot");
    const iot = await access.iot();
    const found = await lookUp({ action: "iot:GetPolicy", resource: policyName }, () =>
      iot.send(new GetPolicyCommand({ policyName })),
    );
    return found === undefined ? undefined : { instance: await ownerOf(access, found.policyArn ?? "") };
  },
  aws_iot_thing: async (access, thingName) => {
    const { DescribeThingCommand } = await import("@aws-sdk/client-iot");
    const iot = await access.iot();
    const found = await lookUp({ action: "iot:DescribeThing", resource: thingName }, () =>
      iot.send(new DescribeThingCommand({ thingName })),
    );
    return found === undefined ? undefined : { instance: found.attributes?.[INSTANCE_ATTRIBUTE] };
  },
};

/**
 * Puts import blocks for the resources beside the module's copy, or takes them away (Terraform documentation,
 * "Import block").
 */
export function writeImports(instance: ModuleInstance, resources: readonly ImportTarget[]): void {
  const file = join(moduleCopy(instance), "dospesos_adopt.tf");
  if (resources.length === 0) {
    return rmSync(file, { force: true });
  }
  replaceFile(
    file,
    resources
      .map(({ address, name }) => `import {\n  to = ${address}\n  id = ${JSON.stringify(name)}\n}\n`)
      .join("\n"),
    { mode: 0o600 },
  );
}

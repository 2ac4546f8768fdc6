import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { disassociate } from "../aws/client-device.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { removeComponent } from "../aws/component.ts";
import { removeDeployments } from "../aws/deployment.ts";
import { deleteCoreDevice } from "../aws/core-device.ts";
import { removeServiceRole } from "../aws/service-role.ts";
import { groupsOf, removeThingGroup } from "../aws/thing-group.ts";
import type { Terraform } from "../terraform/child.ts";
import { applyDestroy, appliedVariables, namesWithState, planDestroy } from "../terraform/destroy.ts";
import { planLines } from "../terraform/plan.ts";
import type { InstanceOutputs } from "../modules/types.ts";
import { accountId, type Account } from "./account.ts";
import { isMarkedApplied } from "./modules.ts";
import { backendOf, type TerraformContext } from "./terraform-effect.ts";
import { moduleMarker } from "./terraform-module.ts";

/** One part of an instance's end, in the order in which the parts have to go. */
export interface Part {
  /** As a person calls it, e.g. "core core-1". */
  readonly name: string;
  /** A line for each thing that goes. */
  readonly lines: readonly string[];
  remove: () => Promise<void>;
}

/** The markers of effects that change the account by AWS's API. */
const API_MARKERS = "terraform/state/api";

/**
 * Everything that the project has in the account, in the reverse order of a build: associations, things,
 * cores, deployments, components, groups, the service role, the instance. What was applied under names that
 * the settings no longer have is part of it.
 */
export async function partsOf(
  context: TerraformContext,
  account: Account,
  terraform: Terraform | undefined,
): Promise<Part[]> {
  const { root, settings } = context;
  const { access } = account;
  const instance = settings.instance.name;
  const devices = await devicePartsOf(context, account, terraform, () => true);
  const instances = await moduleParts(context, access, terraform, "instance", () => true);
  const groups = await groupsOf(access, instance);
  return [
    ...devices,
    ...deployments(root, access, instance),
    ...components(root, access, instance),
    ...groups.map((name): Part => ({
      name: `group ${name}`,
      lines: [`-   thing group ${name}, if no thing is in it IS DESTROYED`],
      remove: async () => {
        await removeThingGroup(access, name);
      },
    })),
    serviceRole(context, access),
    ...instances,
  ];
}

/**
 * Of that what belongs to the cores and things with some names: they, and the associations that they are one
 * end of.
 */
export async function devicePartsOf(
  context: TerraformContext,
  { access }: Account,
  terraform: Terraform | undefined,
  isMeant: (name: string) => boolean,
): Promise<Part[]> {
  const things = await moduleParts(context, access, terraform, "thing", isMeant);
  const cores = await moduleParts(context, access, terraform, "core", isMeant);
  return [
    ...associations(context.root, access, isMeant),
    ...things,
    ...cores.map((part) => withCoreDevice(part, access)),
  ];
}

/** Removes the markers of what is no more: the next build applies it anew. */
export function forgetMarkers(root: string, isMeant: (name: string) => boolean): void {
  const folder = join(root, API_MARKERS);
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    if (isMeant(file.slice(0, file.indexOf(".")))) {
      rmSync(join(folder, file));
    }
  }
}

async function moduleParts(
  context: TerraformContext,
  access: AwsAccess,
  terraform: Terraform | undefined,
  module: string,
  isMeant: (name: string) => boolean,
): Promise<Part[]> {
  const parts: Part[] = [];
  for (const name of appliedNames(context, module).filter(isMeant)) {
    parts.push(...(await modulePart(context, access, terraform, module, name)));
  }
  return parts;
}

/** The names under which a module was applied, by what Terraform or a marker remembers. */
export function appliedNames(
  { root, settings }: Pick<TerraformContext, "root" | "settings">,
  module: string,
): string[] {
  const states = namesWithState(root, { module, account: accountId(settings), region: settings.aws.region });
  const folder = join(root, "terraform", module);
  const markers = existsSync(folder)
    ? readdirSync(folder).flatMap((file) => /^(.+)\.applied\.json$/.exec(file)?.[1] ?? [])
    : [];
  // Of a state in S3 this clone may know nothing yet.
  const { instance, cores, things } = settings;
  const declared =
    settings.terraform.backend === "local"
      ? []
      : ({ instance: [instance], core: [...cores], thing: [...things] }[module]?.map(({ name }) => name) ??
        []);
  return [...new Set([...states, ...markers, ...declared])].sort();
}

async function modulePart(
  context: TerraformContext,
  access: AwsAccess,
  terraform: Terraform | undefined,
  module: string,
  name: string,
): Promise<Part[]> {
  const { root, settings } = context;
  const marker = join(root, moduleMarker(module, name));
  const place = { module, name, account: accountId(settings), region: settings.aws.region, root };
  const title = `${module} ${name}`;
  const hasState = namesWithState(root, place).includes(name) || settings.terraform.backend !== "local";
  if (terraform === undefined || !hasState) {
    if (!settings.sandbox || !existsSync(marker)) {
      return [];
    }
    const { outputs } = JSON.parse(readFileSync(marker, "utf8")) as { outputs: InstanceOutputs };
    const { removeIdentity, removeInstance } = await import("../registry/remove.ts");
    const gone =
      module === "instance"
        ? () => removeInstance(access, outputs, name)
        : () => removeIdentity(access, name, settings.instance.name);
    return [
      {
        name: title,
        lines: [`-   all that ${title} has in the sandbox IS DESTROYED`],
        remove: async () => {
          await gone();
          rmSync(marker, { force: true });
        },
      },
    ];
  }
  const variablesText = appliedVariables(place);
  if (variablesText === undefined) {
    return [];
  }
  const work = {
    place,
    backend: backendOf(settings),
    variablesText,
    variables: JSON.parse(variablesText) as Record<string, string>,
    applied: isMarkedApplied(place),
    parallelism: settings.terraform.parallelism,
  };
  const planned = await planDestroy(terraform, work);
  if (planned === undefined) {
    return [];
  }
  return [
    {
      name: title,
      lines: planLines(planned),
      remove: async () => {
        // The marker first: whatever happens from here on, it no longer tells what there is.
        rmSync(marker, { force: true });
        await applyDestroy(terraform, planned);
      },
    },
  ];
}

/** A thing that is deleted would leave its association behind. */
function associations(root: string, access: AwsAccess, isMeant: (name: string) => boolean): Part[] {
  const folder = join(root, API_MARKERS);
  return (existsSync(folder) ? readdirSync(folder) : []).flatMap((file): Part[] => {
    if (!file.endsWith(".association.json")) {
      return [];
    }
    const {
      outputs: { core, thing },
    } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { outputs: { core: string; thing: string } };
    if (!isMeant(core) && !isMeant(thing)) {
      return [];
    }
    return [
      {
        name: `association of ${thing}`,
        lines: [`-   association of ${thing} with ${core} IS DESTROYED`],
        remove: async () => {
          await disassociate(access, core, thing);
          rmSync(join(folder, file));
        },
      },
    ];
  });
}

/** A deployment of a group that is gone would stay in the account's list for ever. */
function deployments(root: string, access: AwsAccess, instance: string): Part[] {
  const folder = join(root, API_MARKERS);
  return (existsSync(folder) ? readdirSync(folder) : []).flatMap((file): Part[] => {
    const [, group] = /^(.+)\.deployment\.json$/.exec(file) ?? [];
    if (group === undefined) {
      return [];
    }
    const {
      outputs: { target },
    } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { outputs: { target: string } };
    return [
      {
        name: `deployment ${group}`,
        lines: [`-   deployments of the thing group ${group} ARE DESTROYED; what cores run stays`],
        remove: async () => {
          await removeDeployments(access, target, instance);
          rmSync(join(folder, file));
        },
      },
    ];
  });
}

function components(root: string, access: AwsAccess, instance: string): Part[] {
  const folder = join(root, API_MARKERS);
  return (existsSync(folder) ? readdirSync(folder) : []).flatMap((file): Part[] => {
    if (!file.endsWith(".component.json")) {
      return [];
    }
    const {
      outputs: { arn },
    } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { outputs: { arn: string } };
    const name = file.slice(0, -".component.json".length);
    return [
      {
        name: `component ${name}`,
        lines: [`-   all versions of the component ${name} ARE DESTROYED; its artifacts in S3 stay`],
        remove: async () => {
          await removeComponent(access, arn, instance);
          rmSync(join(folder, file));
        },
      },
    ];
  });
}

function withCoreDevice(part: Part, access: AwsAccess): Part {
  const name = part.name.slice("core ".length);
  return {
    ...part,
    lines: [`-   core device ${name} in Greengrass, if it ever connected IS DESTROYED`, ...part.lines],
    remove: async () => {
      await deleteCoreDevice(access, name);
      await part.remove();
    },
  };
}

function serviceRole({ root, settings }: TerraformContext, access: AwsAccess): Part {
  const instance = settings.instance.name;
  const marker = join(root, API_MARKERS, `${instance}.service-role.json`);
  const arn = existsSync(marker)
    ? (JSON.parse(readFileSync(marker, "utf8")) as { outputs: { arn: string } }).outputs.arn
    : "";
  return {
    name: `service role ${instance}`,
    lines: [`-   Greengrass service role, if ${instance} made it IS DESTROYED`],
    remove: async () => {
      if (arn !== "") {
        await removeServiceRole(access, {
          instance,
          account: accountId(settings),
          roleName: arn.slice(arn.lastIndexOf("/") + 1),
        });
      }
    },
  };
}

import { associateClientDevice, disassociate } from "../aws/client-device.ts";
import { ensureThingGroup, removeThingGroup } from "../aws/thing-group.ts";
import type { CoreOutputs, ThingOutputs } from "../modules/contract.ts";
import type { RegistryAccess } from "./access.ts";
import { convergeGroup, joinGroup } from "./core.ts";
import { convergeIdentity, type Identity } from "./identity.ts";
import { removeIdentity } from "./remove.ts";

/** Made by the registry's API and not by Terraform: how it ends follows from that. */
interface ByApi {
  readonly registry: "api";
}

/** What a core that the API made hands on: what Terraform's module gives, and its thing group. */
export interface RegisteredCore extends ByApi, Omit<CoreOutputs, "revision"> {
  /** The ARN of its thing group. */
  readonly arn: string;
  readonly instance: string;
  /** The present group, and those that the core was in before. */
  readonly groups: readonly string[];
}

/** What a client thing that the API made hands on: what Terraform's module gives, and its association. */
export interface RegisteredThing extends ByApi, Omit<ThingOutputs, "revision"> {
  readonly instance: string;
  readonly core: string;
  readonly thing: string;
}

/**
 * Makes a core what it shall be: its thing, certificate, policy and group. One that is new takes seven calls.
 * `before`: what this gave when it was called last.
 * @throws ProblemError: exit 4 where the thing or policy is somebody else's; 1 where AWS refuses.
 */
export async function registerCore(
  registry: RegistryAccess,
  identity: Identity,
  group: string,
  before: RegisteredCore | undefined,
): Promise<RegisteredCore> {
  const { access } = registry;
  const { name, instance } = identity;
  const [{ arn }, { isNew, ...outputs }] = await Promise.all([
    groupOnce(access, group, instance),
    convergeIdentity(registry, identity),
  ]);
  await (isNew ? joinGroup(access, name, group) : convergeGroup(access, { name, group, instance }));
  const groups = [...new Set([...(before?.groups ?? []), group])].sort();
  return { ...outputs, registry: "api", arn, instance, groups };
}

/** Makes a client thing what it shall be: its thing, certificate, policy, and its association with a core. */
export async function registerThing(
  registry: RegistryAccess,
  identity: Identity,
  core: string,
  before: RegisteredThing | undefined,
): Promise<RegisteredThing> {
  const { isNew, ...outputs } = await convergeIdentity(registry, identity);
  await associateClientDevice(registry.access, {
    core,
    thing: identity.name,
    isNew,
    ...(before === undefined ? {} : { previousCore: before.core }),
  });
  return { ...outputs, registry: "api", instance: identity.instance, core, thing: identity.name };
}

/** The end of a core; its groups go with the last of their cores. */
export async function unregisterCore(
  { access }: RegistryAccess,
  { thing_name: name, instance, groups }: RegisteredCore,
): Promise<void> {
  await removeIdentity(access, name, instance);
  for (const group of groups) {
    await removeThingGroup(access, group, instance);
  }
}

export async function unregisterThing(
  { access }: RegistryAccess,
  { thing, core, instance }: RegisteredThing,
): Promise<void> {
  await disassociate(access, core, thing);
  await removeIdentity(access, thing, instance);
}

/** Cores share groups: each is looked up once for all. */
const groups = new WeakMap<RegistryAccess["access"], Map<string, ReturnType<typeof ensureThingGroup>>>();

function groupOnce(
  access: RegistryAccess["access"],
  name: string,
  instance: string,
): ReturnType<typeof ensureThingGroup> {
  const known = groups.get(access) ?? new Map<string, ReturnType<typeof ensureThingGroup>>();
  groups.set(access, known);
  let group = known.get(name);
  if (group === undefined) {
    group = ensureThingGroup(access, { name, instance });
    known.set(name, group);
    group.catch(() => known.delete(name));
  }
  return group;
}

import { createHash } from "node:crypto";

/** IAM role names have at most 64 characters (IAM User Guide, "IAM and AWS STS quotas"). */
const ROLE_NAME_LIMIT = 64;
/**
 * IoT policy names and role aliases have at most 128 (AWS IoT API Reference, CreatePolicy and
 * CreateRoleAlias).
 */
const IOT_NAME_LIMIT = 128;

/**
 * An instance of this kind could spell another instance's name: `lab-core` + core `x`, and `lab` + core
 * `core-x`.
 */
const SPELLS_ANOTHER = /-(core|thing)(-|$)/;

/** The names of the AWS resources that all devices of one instance share. */
export interface InstanceNames {
  /** The IAM role that cores take on. IAM has one name space for all regions of an account. */
  readonly tokenExchangeRole: string;
  readonly tokenExchangeAlias: string;
  /** The IoT policy of every core of the instance. */
  readonly corePolicy: string;
  /** The role that Greengrass itself takes on, once for each account and region. */
  readonly serviceRole: string;
}

/** The derived names of an instance, whose own name has 1 to 64 characters. */
export function instanceNames(instance: string): InstanceNames {
  return {
    tokenExchangeRole: derivedName(instance, "token-exchange", ROLE_NAME_LIMIT),
    tokenExchangeAlias: derivedName(instance, "token-exchange", IOT_NAME_LIMIT),
    corePolicy: derivedName(instance, "core", IOT_NAME_LIMIT),
    serviceRole: derivedName(instance, "greengrass", ROLE_NAME_LIMIT),
  };
}

/** The IoT policy that only this core has. Both names have 1 to 64 characters. */
export function devicePolicyName(instance: string, core: string): string {
  return derivedName(instance, `core-${core}`, IOT_NAME_LIMIT);
}

/** The IoT policy that only this client thing has. Both names have 1 to 64 characters. */
export function thingPolicyName(instance: string, thing: string): string {
  return derivedName(instance, `thing-${thing}`, IOT_NAME_LIMIT);
}

/**
 * `INSTANCE-TAIL`. Where that is too long, or another instance could have the same name, it is
 * `INSTANCE-DIGEST-TAIL` with as much of the instance's name as fits: the tail, which says what it is for,
 * is always whole.
 */
function derivedName(instance: string, tail: string, limit: number): string {
  const plain = `${instance}-${tail}`;
  if (plain.length <= limit && !SPELLS_ANOTHER.test(instance)) {
    return plain;
  }
  const digest = createHash("sha256").update(`${instance}/${tail}`).digest("hex").slice(0, 10);
  return `${instance.slice(0, limit - digest.length - tail.length - 2)}-${digest}-${tail}`;
}

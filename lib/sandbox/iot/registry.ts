import * as v from "valibot";
import {
  textRecord,
  type Certificate,
  type IotPolicy,
  type Region,
  type Thing,
  type ThingGroup,
} from "../account.ts";
import { nameInArn } from "../arns.ts";
import { AwsError } from "../operation.ts";

/** The name of a thing or a thing group. */
export const thingName = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9:_-]{1,128}$/));
export const policyName = v.pipe(v.string(), v.regex(/^[\w+=,.@-]{1,128}$/));

/** Searchable attributes of a thing or a group: `merge` keeps those that are not named. */
export const attributePayload = v.strictObject({
  attributes: v.optional(v.pipe(textRecord, v.check(areAttributes, "Bad attribute name or value"))),
  merge: v.optional(v.boolean()),
});

function areAttributes(attributes: Record<string, string>): boolean {
  return Object.entries(attributes).every(
    ([name, value]) =>
      /^[a-zA-Z0-9_.,@/:#-]{1,128}$/.test(name) && /^[a-zA-Z0-9_.,@/:#=[\]-]{0,800}$/.test(value),
  );
}

/** The attributes after an update. An empty value removes its attribute. */
export function updatedAttributes(
  old: Readonly<Record<string, string>>,
  payload: v.InferOutput<typeof attributePayload> | undefined,
): Record<string, string> {
  if (payload?.attributes === undefined) {
    return old;
  }
  const set = payload.merge === true ? { ...old, ...payload.attributes } : payload.attributes;
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== ""));
}

export function sameAttributes(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const text = (attributes: Readonly<Record<string, string>>): string =>
    JSON.stringify(Object.entries(attributes).sort());
  return text(a) === text(b);
}

/** An update that names the version it was made for fails where another update came first. */
export function checkVersion(resource: { version: number }, expected: number | undefined): void {
  if (expected === undefined || expected === resource.version) {
    return;
  }
  throw new AwsError(
    409,
    "VersionConflictException",
    `Version ${expected} was expected, but it is ${resource.version}`,
  );
}

export function notFound(what: string): AwsError {
  return new AwsError(404, "ResourceNotFoundException", `${what} does not exist`);
}

export function invalid(message: string): AwsError {
  return new AwsError(400, "InvalidRequestException", message);
}

export function deleteConflict(message: string): AwsError {
  return new AwsError(409, "DeleteConflictException", message);
}

/** AWS names the resource that is in the way. */
export function alreadyExists(what: string, resourceId: string, resourceArn: string): AwsError {
  return new AwsError(
    409,
    "ResourceAlreadyExistsException",
    `${what} already exists with a different configuration`,
    {
      resourceId,
      resourceArn,
    },
  );
}

export function thingNamed(region: Region, name: string): Thing {
  const found = region.things.get(name);
  if (found === undefined) {
    throw notFound(`Thing ${name}`);
  }
  return found;
}

export function groupNamed(region: Region, name: string): ThingGroup {
  const found = region.groups.get(name);
  if (found === undefined) {
    throw notFound(`Thing group ${name}`);
  }
  return found;
}

export function policyNamed(region: Region, name: string): IotPolicy {
  const found = region.policies.get(name);
  if (found === undefined) {
    throw notFound(`Policy ${name}`);
  }
  return found;
}

export function certificateNamed(region: Region, id: string): Certificate {
  const found = region.certificates.get(id);
  if (found === undefined) {
    throw notFound(`Certificate ${id}`);
  }
  return found;
}

/** The certificate that a principal is. Cognito identities, the other kind of principal, are not modelled. */
export function principalCertificate(region: Region, principal: string): Certificate {
  const id = nameInArn(region, principal, "cert");
  if (id === undefined) {
    throw invalid(`${principal} is no certificate of this account and region`);
  }
  return certificateNamed(region, id);
}

/** What a policy is attached to, as the account keeps it: a certificate's id, or a thing group. */
export function policyTarget(region: Region, target: string): string {
  const group = nameInArn(region, target, "thinggroup");
  return group === undefined
    ? principalCertificate(region, target).id
    : groupTarget(groupNamed(region, group).name);
}

/** A thing group as the target of a policy; no certificate's id begins with a colon. */
export function groupTarget(name: string): string {
  return `:${name}`;
}

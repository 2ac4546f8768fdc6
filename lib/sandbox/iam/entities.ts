import { randomInt } from "node:crypto";
import * as v from "valibot";
import type { Account, ManagedPolicy, Role } from "../account.ts";
import { integer } from "../members.ts";
import { AwsError } from "../operation.ts";
import { isPolicyDocument, policyLength } from "../policy-versions.ts";

export const RoleName = v.pipe(v.string(), v.regex(/^[\w+=,.@-]{1,64}$/));
export const PolicyName = v.pipe(v.string(), v.regex(/^[\w+=,.@-]{1,128}$/));
export const PolicyArn = v.pipe(
  v.string(),
  v.regex(/^arn:[^:]+:iam::(\d{12}|aws):policy\/.+$/),
  v.maxLength(2048),
);
export const Path = v.optional(v.pipe(v.string(), v.regex(/^\/([!-~]+\/)?$/), v.maxLength(512)), "/");
export const Description = v.pipe(v.string(), v.maxLength(1000));
export const PolicyDocument = v.string();
/** Lists are short here, but callers may still set a limit and go on from a marker. */
export const paging = { MaxItems: v.optional(integer), Marker: v.optional(v.string()) };

export function noSuchEntity(what: string): AwsError {
  return new AwsError(404, "NoSuchEntity", `${what} cannot be found.`);
}

export function entityAlreadyExists(what: string): AwsError {
  return new AwsError(409, "EntityAlreadyExists", `${what} already exists.`);
}

export function deleteConflict(message: string): AwsError {
  return new AwsError(409, "DeleteConflict", message);
}

export function roleNamed(account: Account, name: string): Role {
  const found = account.roles.get(name);
  if (found === undefined) {
    throw noSuchEntity(`The role with name ${name}`);
  }
  return found;
}

/** A role to change; throws as roleNamed() does. */
export function roleDraft(account: Account, name: string): ReturnType<Account["roles"]["change"]> {
  return account.roles.change(roleNamed(account, name).name);
}

/** A managed policy to change; throws as policyWithArn() does. */
export function policyDraft(account: Account, arn: string): ReturnType<Account["policies"]["change"]> {
  return account.policies.change(policyWithArn(account, arn).arn);
}

export function policyWithArn(account: Account, arn: string): ManagedPolicy {
  const found = account.policies.get(arn);
  if (found === undefined) {
    throw noSuchEntity(`Policy ${arn}`);
  }
  return found;
}

/**
 * IAM's ids: a prefix for the kind, then 17 characters
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
 */
export function uniqueId(prefix: "AROA" | "ANPA"): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return prefix + Array.from({ length: 17 }, () => alphabet[randomInt(alphabet.length)]).join("");
}

/**
 * IAM counts a document without its white space
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
 */
export function checkDocument(document: string, limit: number): void {
  if (!isPolicyDocument(document)) {
    throw new AwsError(400, "MalformedPolicyDocument", "The policy is not a JSON object.");
  }
  if (policyLength(document) > limit) {
    throw new AwsError(409, "LimitExceeded", `Cannot exceed quota for PolicySize: ${limit}`);
  }
}

/** IAM answers with documents percent-encoded (RFC 3986). */
export function encodedDocument(document: string): string {
  return encodeURIComponent(document);
}

/** IAM answers with times in ISO 8601. */
export function isoTime(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString().replace(".000Z", "Z");
}

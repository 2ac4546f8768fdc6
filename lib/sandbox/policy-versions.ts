import type { PolicyVersion } from "./account.ts";
import type { Frozen } from "./table.ts";

/** The part that IoT policies and IAM managed policies share. */
export interface VersionedPolicy {
  versions: PolicyVersion[];
  defaultVersion: number;
  nextVersion: number;
}

/** AWS keeps five versions of a policy at the most. */
export const MAX_VERSIONS = 5;

/** Version 1 of a new policy. */
export function firstVersion(document: string, now: number): VersionedPolicy {
  return { versions: [{ number: 1, document, createdAt: now }], defaultVersion: 1, nextVersion: 2 };
}

/** Adds a version and returns it. The caller has checked MAX_VERSIONS. */
export function addVersion(
  policy: VersionedPolicy,
  document: string,
  asDefault: boolean,
  now: number,
): PolicyVersion {
  const version = { number: policy.nextVersion++, document, createdAt: now };
  policy.versions.push(version);
  if (asDefault) {
    policy.defaultVersion = version.number;
  }
  return version;
}

/** The version that is in effect. */
export function defaultVersion(policy: Frozen<VersionedPolicy>): Readonly<PolicyVersion> {
  const found = policy.versions.find((version) => version.number === policy.defaultVersion);
  if (found === undefined) {
    throw new Error("a policy has lost its default version");
  }
  return found;
}

/** Whether the text is a JSON object. The sandbox stores policies and does not evaluate them. */
export function isPolicyDocument(document: string): boolean {
  try {
    const parsed: unknown = JSON.parse(document);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
}

/** AWS measures policies without their white space. */
export function policyLength(document: string): number {
  return document.replace(/\s/g, "").length;
}

import * as v from "valibot";
import type { Account, ManagedPolicy, PolicyVersion } from "../account.ts";
import { iamArn } from "../arns.ts";
import { flag, formList, page } from "../members.ts";
import { AwsError, query } from "../operation.ts";
import { addVersion, firstVersion, MAX_VERSIONS } from "../policy-versions.ts";
import { tagKeyMember, tagMember, withoutTags, withTags } from "../tags.ts";
import {
  checkDocument,
  deleteConflict,
  Description,
  encodedDocument,
  entityAlreadyExists,
  isoTime,
  noSuchEntity,
  paging,
  Path,
  PolicyArn,
  PolicyDocument,
  PolicyName,
  policyDraft,
  policyWithArn,
  uniqueId,
} from "./entities.ts";

const MANAGED_LIMIT = 6144;
const VersionId = v.pipe(
  v.string(),
  v.regex(/^v[1-9][0-9]{0,8}$/),
  v.transform((id) => Number(id.slice(1))),
);

function attachments(account: Account, arn: string): number {
  return [...account.roles.values()].filter((role) => role.attached.includes(arn)).length;
}

function described(account: Account, policy: ManagedPolicy): object {
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: `v${policy.defaultVersion}`,
    AttachmentCount: attachments(account, policy.arn),
    PermissionsBoundaryUsageCount: 0,
    IsAttachable: true,
    Description: policy.description,
    CreateDate: isoTime(policy.createdAt),
    UpdateDate: isoTime(policy.updatedAt),
    Tags: policy.tags,
  };
}

function describedVersion(policy: ManagedPolicy, version: PolicyVersion): object {
  return {
    Document: encodedDocument(version.document),
    VersionId: `v${version.number}`,
    IsDefaultVersion: version.number === policy.defaultVersion,
    CreateDate: isoTime(version.createdAt),
  };
}

function versionNumbered(policy: ManagedPolicy, number: number): PolicyVersion {
  const found = policy.versions.find((version) => version.number === number);
  if (found === undefined) {
    throw noSuchEntity(`Version v${number} of policy ${policy.arn}`);
  }
  return found;
}

/**
 * Managed policies of the account
 * (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html and its neighbours).
 */
export const managedPolicyOperations = [
  query(
    "iam",
    "CreatePolicy",
    {
      PolicyName,
      Path,
      PolicyDocument,
      Description: v.optional(Description),
      Tags: v.optional(formList(tagMember), []),
    },
    ({ account, region, now }, input) => {
      checkDocument(input.PolicyDocument, MANAGED_LIMIT);
      const arn = iamArn(region, `policy${input.Path}${input.PolicyName}`);
      if (account.policies.has(arn)) {
        throw entityAlreadyExists(`A policy called ${input.PolicyName}`);
      }
      const policy: ManagedPolicy = {
        arn,
        name: input.PolicyName,
        path: input.Path,
        id: uniqueId("ANPA"),
        description: input.Description,
        tags: input.Tags,
        createdAt: now,
        updatedAt: now,
        ...firstVersion(input.PolicyDocument, now),
      };
      account.policies.set(arn, policy);
      return { Policy: described(account, policy) };
    },
  ),

  query("iam", "GetPolicy", { PolicyArn }, ({ account }, input) => ({
    Policy: described(account, policyWithArn(account, input.PolicyArn)),
  })),

  query("iam", "DeletePolicy", { PolicyArn }, ({ account }, input) => {
    const policy = policyWithArn(account, input.PolicyArn);
    if (attachments(account, policy.arn) > 0) {
      throw deleteConflict("Cannot delete a policy attached to entities.");
    }
    if (policy.versions.length > 1) {
      throw deleteConflict("This policy has more than one version. Delete the others first.");
    }
    account.policies.delete(policy.arn);
    return undefined;
  }),

  query(
    "iam",
    "CreatePolicyVersion",
    {
      PolicyArn,
      PolicyDocument,
      SetAsDefault: v.optional(flag, false),
    },
    ({ account, now }, input) => {
      const policy = policyDraft(account, input.PolicyArn);
      checkDocument(input.PolicyDocument, MANAGED_LIMIT);
      if (policy.versions.length >= MAX_VERSIONS) {
        throw new AwsError(409, "LimitExceeded", `A managed policy can have up to ${MAX_VERSIONS} versions.`);
      }
      const version = addVersion(policy, input.PolicyDocument, input.SetAsDefault, now);
      policy.updatedAt = now;
      return { PolicyVersion: describedVersion(policy, version) };
    },
  ),

  query("iam", "GetPolicyVersion", { PolicyArn, VersionId }, ({ account }, input) => {
    const policy = policyWithArn(account, input.PolicyArn);
    return { PolicyVersion: describedVersion(policy, versionNumbered(policy, input.VersionId)) };
  }),

  query("iam", "ListPolicyVersions", { PolicyArn, ...paging }, ({ account }, input) => {
    const policy = policyWithArn(account, input.PolicyArn);
    const { entries, next } = page(policy.versions, input.MaxItems, input.Marker);
    const Versions = entries.map((version) => describedVersion(policy, version));
    return { Versions, IsTruncated: next !== undefined, Marker: next };
  }),

  query("iam", "SetDefaultPolicyVersion", { PolicyArn, VersionId }, ({ account, now }, input) => {
    const policy = policyDraft(account, input.PolicyArn);
    policy.defaultVersion = versionNumbered(policy, input.VersionId).number;
    policy.updatedAt = now;
    return undefined;
  }),

  query("iam", "DeletePolicyVersion", { PolicyArn, VersionId }, ({ account }, input) => {
    const policy = policyDraft(account, input.PolicyArn);
    const version = versionNumbered(policy, input.VersionId);
    if (version.number === policy.defaultVersion) {
      throw deleteConflict("Cannot delete the default version of a policy.");
    }
    policy.versions = policy.versions.filter((each) => each !== version);
    return undefined;
  }),

  query("iam", "TagPolicy", { PolicyArn, Tags: formList(tagMember) }, ({ account }, input) => {
    const policy = policyDraft(account, input.PolicyArn);
    policy.tags = withTags(policy.tags, input.Tags);
    return undefined;
  }),

  query("iam", "UntagPolicy", { PolicyArn, TagKeys: formList(tagKeyMember) }, ({ account }, input) => {
    const policy = policyDraft(account, input.PolicyArn);
    policy.tags = withoutTags(policy.tags, input.TagKeys);
    return undefined;
  }),

  query("iam", "ListPolicyTags", { PolicyArn, ...paging }, ({ account }, input) => {
    const { entries, next } = page(
      policyWithArn(account, input.PolicyArn).tags,
      input.MaxItems,
      input.Marker,
    );
    return { Tags: entries, IsTruncated: next !== undefined, Marker: next };
  }),
];

import * as v from "valibot";
import type { Region, Role } from "../account.ts";
import { iamArn } from "../arns.ts";
import { formList, integer, page } from "../members.ts";
import { query } from "../operation.ts";
import { tagKeyMember, tagMember, withoutTags, withTags } from "../tags.ts";
import {
  checkDocument,
  deleteConflict,
  Description,
  encodedDocument,
  entityAlreadyExists,
  isoTime,
  paging,
  Path,
  PolicyDocument,
  RoleName,
  roleDraft,
  roleNamed,
  uniqueId,
} from "./entities.ts";

/** Trust policies have a quota of their own. */
const TRUST_LIMIT = 2048;

/** The ARN of a role. */
export function roleArn(region: Region, role: Role): string {
  return iamArn(region, `role${role.path}${role.name}`);
}

function described(region: Region, role: Role): object {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: roleArn(region, role),
    CreateDate: isoTime(role.createdAt),
    AssumeRolePolicyDocument: encodedDocument(role.trust),
    Description: role.description,
    MaxSessionDuration: role.maxSessionSeconds,
    Tags: role.tags,
  };
}

const MaxSessionDuration = v.pipe(integer, v.minValue(3600), v.maxValue(43_200));

/** IAM roles (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html and its neighbours). */
export const roleOperations = [
  query(
    "iam",
    "CreateRole",
    {
      RoleName,
      Path,
      AssumeRolePolicyDocument: PolicyDocument,
      Description: v.optional(Description),
      MaxSessionDuration: v.optional(MaxSessionDuration, 3600),
      Tags: v.optional(formList(tagMember), []),
    },
    ({ account, region, now }, input) => {
      checkDocument(input.AssumeRolePolicyDocument, TRUST_LIMIT);
      if (account.roles.has(input.RoleName)) {
        throw entityAlreadyExists(`Role with name ${input.RoleName}`);
      }
      const role: Role = {
        name: input.RoleName,
        path: input.Path,
        id: uniqueId("AROA"),
        description: input.Description,
        trust: input.AssumeRolePolicyDocument,
        maxSessionSeconds: input.MaxSessionDuration,
        tags: input.Tags,
        createdAt: now,
        inline: [],
        attached: [],
      };
      account.roles.set(role.name, role);
      return { Role: described(region, role) };
    },
  ),

  query("iam", "GetRole", { RoleName }, ({ account, region }, input) => ({
    Role: described(region, roleNamed(account, input.RoleName)),
  })),

  query(
    "iam",
    "ListRoles",
    { PathPrefix: v.optional(v.string(), "/"), ...paging },
    ({ account, region }, input) => {
      const all = [...account.roles.values()].filter((role) => role.path.startsWith(input.PathPrefix));
      const { entries, next } = page(all, input.MaxItems, input.Marker);
      return {
        Roles: entries.map((role) => described(region, role)),
        IsTruncated: next !== undefined,
        Marker: next,
      };
    },
  ),

  query(
    "iam",
    "UpdateRole",
    {
      RoleName,
      Description: v.optional(Description),
      MaxSessionDuration: v.optional(MaxSessionDuration),
    },
    ({ account }, input) => {
      const role = roleDraft(account, input.RoleName);
      role.description = input.Description ?? role.description;
      role.maxSessionSeconds = input.MaxSessionDuration ?? role.maxSessionSeconds;
      return {};
    },
  ),

  query("iam", "UpdateRoleDescription", { RoleName, Description }, ({ account, region }, input) => {
    const role = roleDraft(account, input.RoleName);
    role.description = input.Description;
    return { Role: described(region, role) };
  }),

  query("iam", "UpdateAssumeRolePolicy", { RoleName, PolicyDocument }, ({ account }, input) => {
    const role = roleDraft(account, input.RoleName);
    checkDocument(input.PolicyDocument, TRUST_LIMIT);
    role.trust = input.PolicyDocument;
    return undefined;
  }),

  query("iam", "DeleteRole", { RoleName }, ({ account }, input) => {
    const role = roleNamed(account, input.RoleName);
    if (role.attached.length > 0) {
      throw deleteConflict("Cannot delete entity, must detach all policies first.");
    }
    if (role.inline.length > 0) {
      throw deleteConflict("Cannot delete entity, must delete policies first.");
    }
    account.roles.delete(role.name);
    return undefined;
  }),

  // There are no instance profiles in a sandbox.
  query("iam", "ListInstanceProfilesForRole", { RoleName, ...paging }, ({ account }, input) => {
    roleNamed(account, input.RoleName);
    return { InstanceProfiles: [], IsTruncated: false };
  }),

  query("iam", "TagRole", { RoleName, Tags: formList(tagMember) }, ({ account }, input) => {
    const role = roleDraft(account, input.RoleName);
    role.tags = withTags(role.tags, input.Tags);
    return undefined;
  }),

  query("iam", "UntagRole", { RoleName, TagKeys: formList(tagKeyMember) }, ({ account }, input) => {
    const role = roleDraft(account, input.RoleName);
    role.tags = withoutTags(role.tags, input.TagKeys);
    return undefined;
  }),

  query("iam", "ListRoleTags", { RoleName, ...paging }, ({ account }, input) => {
    const { entries, next } = page(roleNamed(account, input.RoleName).tags, input.MaxItems, input.Marker);
    return { Tags: entries, IsTruncated: next !== undefined, Marker: next };
  }),
];

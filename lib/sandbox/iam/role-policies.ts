import { partitionOf } from "../../aws/partition.ts";
import type { Account, Region } from "../account.ts";
import { page } from "../members.ts";
import { query } from "../operation.ts";
import {
  checkDocument,
  encodedDocument,
  noSuchEntity,
  paging,
  PolicyArn,
  PolicyDocument,
  PolicyName,
  policyWithArn,
  RoleName,
  roleDraft,
  roleNamed,
} from "./entities.ts";

const INLINE_LIMIT = 10_240;

/** The policies of AWS's own that can be attached: the one of the Greengrass service role. */
const AWS_MANAGED = ["service-role/AWSGreengrassResourceAccessRolePolicy"];

function checkAttachable(account: Account, region: Region, arn: string): void {
  const prefix = `arn:${partitionOf(region.name).name}:iam::aws:policy/`;
  if (!AWS_MANAGED.some((name) => arn === prefix + name)) {
    policyWithArn(account, arn);
  }
}

/** The policies of a role: inline, and attached managed ones. */
export const rolePolicyOperations = [
  query("iam", "PutRolePolicy", { RoleName, PolicyName, PolicyDocument }, ({ account }, input) => {
    const role = roleDraft(account, input.RoleName);
    checkDocument(input.PolicyDocument, INLINE_LIMIT);
    const others = role.inline.filter(({ name }) => name !== input.PolicyName);
    role.inline = [...others, { name: input.PolicyName, document: input.PolicyDocument }];
    return undefined;
  }),

  query("iam", "GetRolePolicy", { RoleName, PolicyName }, ({ account }, input) => {
    const policy = roleNamed(account, input.RoleName).inline.find(({ name }) => name === input.PolicyName);
    if (policy === undefined) {
      throw noSuchEntity(`The role policy with name ${input.PolicyName}`);
    }
    return {
      RoleName: input.RoleName,
      PolicyName: policy.name,
      PolicyDocument: encodedDocument(policy.document),
    };
  }),

  query("iam", "DeleteRolePolicy", { RoleName, PolicyName }, ({ account }, input) => {
    const role = roleDraft(account, input.RoleName);
    const others = role.inline.filter(({ name }) => name !== input.PolicyName);
    if (others.length === role.inline.length) {
      throw noSuchEntity(`The role policy with name ${input.PolicyName}`);
    }
    role.inline = others;
    return undefined;
  }),

  query("iam", "ListRolePolicies", { RoleName, ...paging }, ({ account }, input) => {
    const { entries, next } = page(
      roleNamed(account, input.RoleName).inline.map(({ name }) => name),
      input.MaxItems,
      input.Marker,
    );
    return { PolicyNames: entries, IsTruncated: next !== undefined, Marker: next };
  }),

  query("iam", "AttachRolePolicy", { RoleName, PolicyArn }, ({ account, region }, input) => {
    const role = roleDraft(account, input.RoleName);
    checkAttachable(account, region, input.PolicyArn);
    if (!role.attached.includes(input.PolicyArn)) {
      role.attached.push(input.PolicyArn);
    }
    return undefined;
  }),

  query("iam", "DetachRolePolicy", { RoleName, PolicyArn }, ({ account }, input) => {
    const role = roleDraft(account, input.RoleName);
    if (!role.attached.includes(input.PolicyArn)) {
      throw noSuchEntity(`Policy ${input.PolicyArn} at role ${role.name}`);
    }
    role.attached = role.attached.filter((arn) => arn !== input.PolicyArn);
    return undefined;
  }),

  query("iam", "ListAttachedRolePolicies", { RoleName, ...paging }, ({ account }, input) => {
    const { entries, next } = page(roleNamed(account, input.RoleName).attached, input.MaxItems, input.Marker);
    const AttachedPolicies = entries.map((arn) => ({
      PolicyName: arn.slice(arn.lastIndexOf("/") + 1),
      PolicyArn: arn,
    }));
    return { AttachedPolicies, IsTruncated: next !== undefined, Marker: next };
  }),
];

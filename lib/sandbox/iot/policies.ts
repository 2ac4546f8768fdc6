import * as v from "valibot";
import type { IotPolicy, PolicyVersion, Region } from "../account.ts";
import { iotArn } from "../arns.ts";
import { flag, integer, page } from "../members.ts";
import { AwsError, rest } from "../operation.ts";
import {
  addVersion,
  defaultVersion,
  firstVersion,
  isPolicyDocument,
  MAX_VERSIONS,
  policyLength,
} from "../policy-versions.ts";
import { tagMember } from "../tags.ts";
import { alreadyExists, deleteConflict, invalid, notFound, policyName, policyNamed } from "./registry.ts";

const policyVersionId = v.pipe(v.string(), v.regex(/^[0-9]{1,9}$/), v.transform(Number));
const policyDocument = v.string();

function checkDocument(document: string): void {
  if (!isPolicyDocument(document)) {
    throw new AwsError(
      400,
      "MalformedPolicyException",
      "Policy document is Malformed: it is not a JSON object",
    );
  }
  if (policyLength(document) > 2048) {
    throw invalid(
      `The policy document has ${policyLength(document)} characters without white space; 2048 are allowed`,
    );
  }
}

function versionNumbered(policy: IotPolicy, number: number): Readonly<PolicyVersion> {
  const found = policy.versions.find((version) => version.number === number);
  if (found === undefined) {
    throw notFound(`Version ${number} of policy ${policy.name}`);
  }
  return found;
}

/** A policy as lists show it. */
export function listedPolicy(region: Region, name: string): object {
  return { policyName: name, policyArn: iotArn(region, `policy/${name}`) };
}

/** ARNs of the certificates and thing groups that a policy is attached to. */
export function targetsOf(region: Region, name: string): string[] {
  return region.attachments
    .leftOf(name)
    .map((target) =>
      iotArn(region, target.startsWith(":") ? `thinggroup/${target.slice(1)}` : `cert/${target}`),
    );
}

/**
 * IoT policies and their versions (https://docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html).
 */
export const policyOperations = [
  rest(
    "iot",
    "CreatePolicy",
    "POST /policies/{policyName}",
    {
      policyName,
      policyDocument,
      tags: v.optional(v.array(tagMember), []),
    },
    ({ region, now }, input) => {
      checkDocument(input.policyDocument);
      const policyArn = iotArn(region, `policy/${input.policyName}`);
      if (region.policies.has(input.policyName)) {
        throw alreadyExists(`Policy ${input.policyName}`, input.policyName, policyArn);
      }
      region.policies.set(input.policyName, {
        name: input.policyName,
        tags: input.tags,
        createdAt: now,
        modifiedAt: now,
        ...firstVersion(input.policyDocument, now),
      });
      return {
        policyName: input.policyName,
        policyArn,
        policyDocument: input.policyDocument,
        policyVersionId: "1",
      };
    },
  ),

  rest("iot", "GetPolicy", "GET /policies/{policyName}", { policyName }, ({ region }, input) => {
    const policy = policyNamed(region, input.policyName);
    return {
      policyName: policy.name,
      policyArn: iotArn(region, `policy/${policy.name}`),
      policyDocument: defaultVersion(policy).document,
      defaultVersionId: String(policy.defaultVersion),
      creationDate: policy.createdAt,
      lastModifiedDate: policy.modifiedAt,
    };
  }),

  rest("iot", "DeletePolicy", "DELETE /policies/{policyName}", { policyName }, ({ region }, input) => {
    const policy = policyNamed(region, input.policyName);
    if (targetsOf(region, policy.name).length > 0) {
      throw deleteConflict(`Policy ${policy.name} is attached`);
    }
    if (policy.versions.length > 1) {
      throw deleteConflict(`Policy ${policy.name} has versions other than its default`);
    }
    region.policies.delete(policy.name);
    return undefined;
  }),

  rest(
    "iot",
    "ListPolicies",
    "GET /policies",
    {
      pageSize: v.optional(integer),
      marker: v.optional(v.string()),
      isAscendingOrder: v.optional(flag),
    },
    ({ region }, input) => {
      const { entries, next } = page([...region.policies.values()], input.pageSize, input.marker);
      return { policies: entries.map(({ name }) => listedPolicy(region, name)), nextMarker: next };
    },
  ),

  rest(
    "iot",
    "CreatePolicyVersion",
    "POST /policies/{policyName}/version",
    {
      policyName,
      policyDocument,
      setAsDefault: v.optional(flag, false),
    },
    ({ region, now }, input) => {
      const policy = policyNamed(region, input.policyName);
      checkDocument(input.policyDocument);
      if (policy.versions.length >= MAX_VERSIONS) {
        throw new AwsError(
          409,
          "VersionsLimitExceededException",
          `Policy ${policy.name} already has ${MAX_VERSIONS} versions`,
        );
      }
      const draft = region.policies.change(policy.name);
      const version = addVersion(draft, input.policyDocument, input.setAsDefault, now);
      draft.modifiedAt = now;
      return {
        policyArn: iotArn(region, `policy/${policy.name}`),
        policyDocument: version.document,
        policyVersionId: String(version.number),
        isDefaultVersion: input.setAsDefault,
      };
    },
  ),

  rest(
    "iot",
    "GetPolicyVersion",
    "GET /policies/{policyName}/version/{policyVersionId}",
    {
      policyName,
      policyVersionId,
    },
    ({ region }, input) => {
      const policy = policyNamed(region, input.policyName);
      const version = versionNumbered(policy, input.policyVersionId);
      return {
        policyArn: iotArn(region, `policy/${policy.name}`),
        policyName: policy.name,
        policyDocument: version.document,
        policyVersionId: String(version.number),
        isDefaultVersion: version.number === policy.defaultVersion,
        creationDate: version.createdAt,
        lastModifiedDate: version.createdAt,
      };
    },
  ),

  rest(
    "iot",
    "ListPolicyVersions",
    "GET /policies/{policyName}/version",
    { policyName },
    ({ region }, input) => {
      const policy = policyNamed(region, input.policyName);
      const policyVersions = policy.versions.map((version) => ({
        versionId: String(version.number),
        isDefaultVersion: version.number === policy.defaultVersion,
        createDate: version.createdAt,
      }));
      return { policyVersions };
    },
  ),

  rest(
    "iot",
    "SetDefaultPolicyVersion",
    "PATCH /policies/{policyName}/version/{policyVersionId}",
    {
      policyName,
      policyVersionId,
    },
    ({ region, now }, input) => {
      const policy = policyNamed(region, input.policyName);
      const { number } = versionNumbered(policy, input.policyVersionId);
      Object.assign(region.policies.change(policy.name), { defaultVersion: number, modifiedAt: now });
      return undefined;
    },
  ),

  rest(
    "iot",
    "DeletePolicyVersion",
    "DELETE /policies/{policyName}/version/{policyVersionId}",
    {
      policyName,
      policyVersionId,
    },
    ({ region }, input) => {
      const policy = policyNamed(region, input.policyName);
      const version = versionNumbered(policy, input.policyVersionId);
      if (version.number === policy.defaultVersion) {
        throw deleteConflict(`Version ${version.number} is the default of policy ${policy.name}`);
      }
      const draft = region.policies.change(policy.name);
      draft.versions = draft.versions.filter(({ number }) => number !== version.number);
      return undefined;
    },
  ),
];

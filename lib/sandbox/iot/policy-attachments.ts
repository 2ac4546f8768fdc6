import * as v from "valibot";
import { flag, integer, page } from "../members.ts";
import { AwsError, rest } from "../operation.ts";
import { listedPolicy, targetsOf } from "./policies.ts";
import { policyName, policyNamed, policyTarget, principalCertificate } from "./registry.ts";

/** How many policies a certificate takes (https://docs.aws.amazon.com/general/latest/gr/iot-core.html). */
const MAX_POLICIES = 10;

const paging = { pageSize: v.optional(integer), marker: v.optional(v.string()) };

/** Which policies apply to which certificates and thing groups. */
export const policyAttachmentOperations = [
  rest(
    "iot",
    "AttachPolicy",
    "PUT /target-policies/{policyName}",
    { policyName, target: v.string() },
    ({ region }, input) => {
      const { name } = policyNamed(region, input.policyName);
      const { policies } = policyTarget(region, input.target);
      if (policies.includes(name)) {
        return undefined;
      }
      if (policies.length >= MAX_POLICIES) {
        throw new AwsError(
          410,
          "LimitExceededException",
          `${input.target} already has ${MAX_POLICIES} policies`,
        );
      }
      policies.push(name);
      return undefined;
    },
  ),

  rest(
    "iot",
    "DetachPolicy",
    "POST /target-policies/{policyName}",
    { policyName, target: v.string() },
    ({ region }, input) => {
      const { name } = policyNamed(region, input.policyName);
      const resource = policyTarget(region, input.target);
      resource.policies = resource.policies.filter((each) => each !== name);
      return undefined;
    },
  ),

  rest(
    "iot",
    "ListAttachedPolicies",
    "POST /attached-policies/{target}",
    {
      target: v.string(),
      ...paging,
      recursive: v.optional(flag, false),
    },
    ({ region }, input) => {
      const target = policyTarget(region, input.target);
      // Recursively a certificate also has what its things have by their groups.
      const things =
        input.recursive && "things" in target
          ? principalCertificate(region, input.target).things.map(({ name }) => name)
          : [];
      const inherited = [...region.groups.values()]
        .filter((group) => group.things.some((name) => things.includes(name)))
        .flatMap(({ policies }) => policies);
      const { entries, next } = page(
        [...new Set([...target.policies, ...inherited])],
        input.pageSize,
        input.marker,
      );
      return { policies: entries.map((name) => listedPolicy(region, name)), nextMarker: next };
    },
  ),

  rest(
    "iot",
    "ListTargetsForPolicy",
    "POST /policy-targets/{policyName}",
    { policyName, ...paging },
    ({ region }, input) => {
      const { entries, next } = page(
        targetsOf(region, policyNamed(region, input.policyName).name),
        input.pageSize,
        input.marker,
      );
      return { targets: entries, nextMarker: next };
    },
  ),
];

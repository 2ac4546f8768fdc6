import * as v from "valibot";
import { flag, integer, page } from "../members.ts";
import { AwsError, rest } from "../operation.ts";
import { listedPolicy, targetsOf } from "./policies.ts";
import { groupTarget, policyName, policyNamed, policyTarget } from "./registry.ts";

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
      const target = policyTarget(region, input.target);
      if (region.attachments.hasPair(target, name)) {
        return undefined;
      }
      if (region.attachments.rightOf(target).length >= MAX_POLICIES) {
        throw new AwsError(
          410,
          "LimitExceededException",
          `${input.target} already has ${MAX_POLICIES} policies`,
        );
      }
      region.attachments.setPair(target, name, {});
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
      region.attachments.deletePair(policyTarget(region, input.target), name);
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
      const things = input.recursive ? region.principals.rightOf(target) : [];
      const inherited = things
        .flatMap((thing) => region.memberships.leftOf(thing))
        .flatMap((group) => region.attachments.rightOf(groupTarget(group)));
      const { entries, next } = page(
        [...new Set([...region.attachments.rightOf(target), ...inherited])],
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

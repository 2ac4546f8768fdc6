import { randomUUID } from "node:crypto";
import * as v from "valibot";
import type { Region, ThingGroup } from "../account.ts";
import { iotArn, nameInArn } from "../arns.ts";
import { flag, integer, page } from "../members.ts";
import { rest } from "../operation.ts";
import { tagMember } from "../tags.ts";
import {
  alreadyExists,
  attributePayload,
  checkVersion,
  groupNamed,
  groupTarget,
  invalid,
  sameAttributes,
  thingName,
  thingNamed,
  updatedAttributes,
} from "./registry.ts";

const properties = v.strictObject({
  thingGroupDescription: v.optional(v.pipe(v.string(), v.maxLength(2028))),
  attributePayload: v.optional(attributePayload),
});
const paging = { maxResults: v.optional(integer), nextToken: v.optional(v.string()) };
/** A thing and a group, each by its name or its ARN. */
const membership = {
  thingGroupName: v.optional(thingName),
  thingGroupArn: v.optional(v.string()),
  thingName: v.optional(thingName),
  thingArn: v.optional(v.string()),
};
type Membership = { readonly [K in keyof typeof membership]?: string | undefined };

function created(region: Region, group: ThingGroup): object {
  return {
    thingGroupName: group.name,
    thingGroupArn: iotArn(region, `thinggroup/${group.name}`),
    thingGroupId: group.id,
  };
}

function listed(region: Region, group: ThingGroup): object {
  return { groupName: group.name, groupArn: iotArn(region, `thinggroup/${group.name}`) };
}

/** The names of the things in the group with that ARN; none where there is no such group. */
export function groupMembers(region: Region, groupArn: string): readonly string[] {
  return region.memberships.rightOf(nameInArn(region, groupArn, "thinggroup") ?? "");
}

function memberAndGroup(region: Region, input: Membership): { thing: string; group: ThingGroup } {
  const group = input.thingGroupName ?? nameInArn(region, input.thingGroupArn ?? "", "thinggroup");
  const thing = input.thingName ?? nameInArn(region, input.thingArn ?? "", "thing");
  if (group === undefined || thing === undefined) {
    throw invalid("A thing and a thing group of this account and region must be named");
  }
  return { thing: thingNamed(region, thing).name, group: groupNamed(region, group) };
}

/**
 * Static thing groups without a hierarchy
 * (https://docs.aws.amazon.com/iot/latest/developerguide/thing-groups.html).
 */
export const groupOperations = [
  rest(
    "iot",
    "CreateThingGroup",
    "POST /thing-groups/{thingGroupName}",
    {
      thingGroupName: thingName,
      thingGroupProperties: v.optional(properties),
      tags: v.optional(v.array(tagMember), []),
    },
    ({ region, now }, input) => {
      const description = input.thingGroupProperties?.thingGroupDescription;
      const attributes = updatedAttributes({}, input.thingGroupProperties?.attributePayload);
      const old = region.groups.get(input.thingGroupName);
      if (old !== undefined) {
        if (old.description === description && sameAttributes(old.attributes, attributes)) {
          return created(region, old);
        }
        throw alreadyExists(`Thing group ${old.name}`, old.name, iotArn(region, `thinggroup/${old.name}`));
      }
      const group: ThingGroup = {
        name: input.thingGroupName,
        id: randomUUID(),
        description,
        attributes,
        tags: input.tags,
        version: 1,
        createdAt: now,
      };
      region.groups.set(group.name, group);
      return created(region, group);
    },
  ),

  rest(
    "iot",
    "DescribeThingGroup",
    "GET /thing-groups/{thingGroupName}",
    {
      thingGroupName: thingName,
    },
    ({ region }, input) => {
      const group = groupNamed(region, input.thingGroupName);
      return {
        ...created(region, group),
        version: group.version,
        thingGroupProperties: {
          thingGroupDescription: group.description,
          // Terraform's provider takes an empty payload for a change.
          ...(Object.keys(group.attributes).length === 0
            ? {}
            : { attributePayload: { attributes: group.attributes } }),
        },
        thingGroupMetadata: { creationDate: group.createdAt, rootToParentThingGroups: [] },
      };
    },
  ),

  rest(
    "iot",
    "UpdateThingGroup",
    "PATCH /thing-groups/{thingGroupName}",
    {
      thingGroupName: thingName,
      thingGroupProperties: properties,
      expectedVersion: v.optional(integer),
    },
    ({ region }, input) => {
      const group = groupNamed(region, input.thingGroupName);
      checkVersion(group, input.expectedVersion);
      const { thingGroupDescription, attributePayload: payload } = input.thingGroupProperties;
      const draft = region.groups.change(group.name);
      if (thingGroupDescription !== undefined) {
        draft.description = thingGroupDescription;
      }
      draft.attributes = updatedAttributes(group.attributes, payload);
      draft.version++;
      return { version: draft.version };
    },
  ),

  rest(
    "iot",
    "DeleteThingGroup",
    "DELETE /thing-groups/{thingGroupName}",
    {
      thingGroupName: thingName,
      expectedVersion: v.optional(integer),
    },
    ({ region }, input) => {
      const group = region.groups.get(input.thingGroupName);
      if (group === undefined) {
        return {};
      }
      checkVersion(group, input.expectedVersion);
      region.groups.delete(group.name);
      region.memberships.deleteAll({ left: group.name });
      region.attachments.deleteAll({ left: groupTarget(group.name) });
      return {};
    },
  ),

  rest(
    "iot",
    "ListThingGroups",
    "GET /thing-groups",
    {
      ...paging,
      namePrefixFilter: v.optional(v.string(), ""),
      recursive: v.optional(flag),
    },
    ({ region }, input) => {
      const all = [...region.groups.values()].filter((group) =>
        group.name.startsWith(input.namePrefixFilter),
      );
      const { entries, next } = page(all, input.maxResults, input.nextToken);
      return { thingGroups: entries.map((group) => listed(region, group)), nextToken: next };
    },
  ),

  rest(
    "iot",
    "AddThingToThingGroup",
    "PUT /thing-groups/addThingToThingGroup",
    {
      ...membership,
      overrideDynamicGroups: v.optional(v.boolean()),
    },
    ({ region }, input) => {
      const { thing, group } = memberAndGroup(region, input);
      if (!region.memberships.hasPair(group.name, thing)) {
        region.memberships.setPair(group.name, thing, {});
      }
      return {};
    },
  ),

  rest(
    "iot",
    "RemoveThingFromThingGroup",
    "PUT /thing-groups/removeThingFromThingGroup",
    membership,
    ({ region }, input) => {
      const { thing, group } = memberAndGroup(region, input);
      region.memberships.deletePair(group.name, thing);
      return {};
    },
  ),

  rest(
    "iot",
    "ListThingGroupsForThing",
    "GET /things/{thingName}/thing-groups",
    {
      thingName,
      ...paging,
    },
    ({ region }, input) => {
      const { name } = thingNamed(region, input.thingName);
      const { entries, next } = page(region.memberships.leftOf(name), input.maxResults, input.nextToken);
      return {
        thingGroups: entries.map((group) => listed(region, groupNamed(region, group))),
        nextToken: next,
      };
    },
  ),

  rest(
    "iot",
    "ListThingsInThingGroup",
    "GET /thing-groups/{thingGroupName}/things",
    {
      thingGroupName: thingName,
      recursive: v.optional(flag),
      ...paging,
    },
    ({ region }, input) => {
      const { name } = groupNamed(region, input.thingGroupName);
      const { entries, next } = page(region.memberships.rightOf(name), input.maxResults, input.nextToken);
      return { things: entries, nextToken: next };
    },
  ),
];

import { randomUUID } from "node:crypto";
import * as v from "valibot";
import type { Region, Thing } from "../account.ts";
import { iotArn } from "../arns.ts";
import { flag, integer, page } from "../members.ts";
import { rest } from "../operation.ts";
import {
  alreadyExists,
  attributePayload,
  checkVersion,
  invalid,
  sameAttributes,
  thingName,
  thingNamed,
  updatedAttributes,
} from "./registry.ts";

function created(region: Region, thing: Thing): object {
  return { thingName: thing.name, thingArn: iotArn(region, `thing/${thing.name}`), thingId: thing.id };
}

/** Things: https://docs.aws.amazon.com/iot/latest/developerguide/thing-registry.html */
export const thingOperations = [
  rest(
    "iot",
    "CreateThing",
    "POST /things/{thingName}",
    {
      thingName,
      attributePayload: v.optional(attributePayload),
    },
    ({ region }, input) => {
      const attributes = updatedAttributes({}, input.attributePayload);
      const old = region.things.get(input.thingName);
      if (old !== undefined) {
        if (sameAttributes(old.attributes, attributes)) {
          return created(region, old);
        }
        throw alreadyExists(`Thing ${old.name}`, old.name, iotArn(region, `thing/${old.name}`));
      }
      const thing = { name: input.thingName, id: randomUUID(), attributes, version: 1 };
      region.things.set(thing.name, thing);
      return created(region, thing);
    },
  ),

  rest("iot", "DescribeThing", "GET /things/{thingName}", { thingName }, ({ region }, input) => {
    const thing = thingNamed(region, input.thingName);
    return {
      ...created(region, thing),
      defaultClientId: thing.name,
      attributes: thing.attributes,
      version: thing.version,
    };
  }),

  rest(
    "iot",
    "UpdateThing",
    "PATCH /things/{thingName}",
    {
      thingName,
      attributePayload: v.optional(attributePayload),
      expectedVersion: v.optional(integer),
      removeThingType: v.optional(v.literal(false)),
    },
    ({ region }, input) => {
      const thing = thingNamed(region, input.thingName);
      checkVersion(thing, input.expectedVersion);
      const draft = region.things.change(thing.name);
      draft.attributes = updatedAttributes(thing.attributes, input.attributePayload);
      draft.version++;
      return {};
    },
  ),

  rest(
    "iot",
    "DeleteThing",
    "DELETE /things/{thingName}",
    {
      thingName,
      expectedVersion: v.optional(integer),
    },
    ({ region }, input) => {
      const thing = region.things.get(input.thingName);
      if (thing === undefined) {
        return {};
      }
      checkVersion(thing, input.expectedVersion);
      if (region.principals.leftOf(thing.name).length > 0) {
        throw invalid(`Cannot delete. Thing ${thing.name} is still attached to one or more principals`);
      }
      region.things.delete(thing.name);
      region.connections.delete(thing.name);
      region.memberships.deleteAll({ right: thing.name });
      region.associations.deleteAll({ left: thing.name, right: thing.name });
      return {};
    },
  ),

  rest(
    "iot",
    "ListThings",
    "GET /things",
    {
      maxResults: v.optional(integer),
      nextToken: v.optional(v.string()),
      attributeName: v.optional(v.string()),
      attributeValue: v.optional(v.string()),
      usePrefixAttributeValue: v.optional(v.pipe(flag, v.literal(false))),
    },
    ({ region }, input) => {
      const { attributeName: name, attributeValue: value = "" } = input;
      const matches = ({ attributes }: Thing): boolean =>
        name === undefined || (Object.hasOwn(attributes, name) && attributes[name] === value);
      const { entries, next } = page(
        [...region.things.values()].filter(matches),
        input.maxResults,
        input.nextToken,
      );
      const things = entries.map((thing) => ({
        thingName: thing.name,
        thingArn: iotArn(region, `thing/${thing.name}`),
        attributes: thing.attributes,
        version: thing.version,
      }));
      return { things, nextToken: next };
    },
  ),
];

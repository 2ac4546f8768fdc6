import * as v from "valibot";
import type { Region } from "../account.ts";
import { iotArn } from "../arns.ts";
import { integer, page } from "../members.ts";
import { rest } from "../operation.ts";
import { invalid, principalCertificate, thingName, thingNamed } from "./registry.ts";

const principal = v.string();
const principalType = v.picklist(["EXCLUSIVE_THING", "NON_EXCLUSIVE_THING"]);
const paging = { maxResults: v.optional(integer), nextToken: v.optional(v.string()) };

function principalsOf(region: Region, name: string): { principal: string; thingPrincipalType: string }[] {
  thingNamed(region, name);
  return region.principals.leftOf(name).map((id) => ({
    principal: iotArn(region, `cert/${id}`),
    thingPrincipalType: region.principals.getPair(id, name)!.type,
  }));
}

/**
 * Which certificates speak for which things
 * (https://docs.aws.amazon.com/iot/latest/apireference/API_AttachThingPrincipal.html).
 */
export const principalOperations = [
  rest(
    "iot",
    "AttachThingPrincipal",
    "PUT /things/{thingName}/principals",
    {
      thingName,
      principal,
      thingPrincipalType: v.optional(principalType, "NON_EXCLUSIVE_THING"),
    },
    ({ region }, input) => {
      const { name } = thingNamed(region, input.thingName);
      const { id } = principalCertificate(region, input.principal);
      const others = region.principals.rightOf(id).filter((thing) => thing !== name);
      const types = others.map((thing) => region.principals.getPair(id, thing)!.type);
      if (others.length > 0 && [input.thingPrincipalType, ...types].includes("EXCLUSIVE_THING")) {
        throw invalid(`${input.principal} is attached to another thing and one of the two is exclusive`);
      }
      if (!region.principals.hasPair(id, name)) {
        region.principals.setPair(id, name, { type: input.thingPrincipalType });
      }
      return {};
    },
  ),

  rest(
    "iot",
    "DetachThingPrincipal",
    "DELETE /things/{thingName}/principals",
    {
      thingName,
      principal,
    },
    ({ region }, input) => {
      const { name } = thingNamed(region, input.thingName);
      region.principals.deletePair(principalCertificate(region, input.principal).id, name);
      return {};
    },
  ),

  rest(
    "iot",
    "ListThingPrincipals",
    "GET /things/{thingName}/principals",
    { thingName, ...paging },
    ({ region }, input) => {
      const { entries, next } = page(
        principalsOf(region, input.thingName),
        input.maxResults,
        input.nextToken,
      );
      return { principals: entries.map((entry) => entry.principal), nextToken: next };
    },
  ),

  rest(
    "iot",
    "ListThingPrincipalsV2",
    "GET /things/{thingName}/principals-v2",
    {
      thingName,
      thingPrincipalType: v.optional(principalType),
      ...paging,
    },
    ({ region }, input) => {
      const all = principalsOf(region, input.thingName).filter(
        (entry) =>
          input.thingPrincipalType === undefined || entry.thingPrincipalType === input.thingPrincipalType,
      );
      const { entries, next } = page(all, input.maxResults, input.nextToken);
      return { thingPrincipalObjects: entries, nextToken: next };
    },
  ),

  rest(
    "iot",
    "ListPrincipalThings",
    "GET /principals/things",
    { principal, ...paging },
    ({ region }, input) => {
      const { id } = principalCertificate(region, input.principal);
      const { entries, next } = page(region.principals.rightOf(id), input.maxResults, input.nextToken);
      return { things: entries, nextToken: next };
    },
  ),
];

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
  return [...region.certificates.values()].flatMap((certificate) =>
    certificate.things
      .filter((thing) => thing.name === name)
      .map((thing) => ({
        principal: iotArn(region, `cert/${certificate.id}`),
        thingPrincipalType: thing.type,
      })),
  );
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
      const certificate = principalCertificate(region, input.principal);
      const others = certificate.things.filter((thing) => thing.name !== name);
      const exclusive = [input.thingPrincipalType, ...others.map((thing) => thing.type)].includes(
        "EXCLUSIVE_THING",
      );
      if (others.length > 0 && exclusive) {
        throw invalid(`${input.principal} is attached to another thing and one of the two is exclusive`);
      }
      if (others.length === certificate.things.length) {
        certificate.things.push({ name, type: input.thingPrincipalType });
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
      const certificate = principalCertificate(region, input.principal);
      certificate.things = certificate.things.filter((thing) => thing.name !== name);
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
      const { entries, next } = page(
        principalCertificate(region, input.principal).things,
        input.maxResults,
        input.nextToken,
      );
      return { things: entries.map((thing) => thing.name), nextToken: next };
    },
  ),
];

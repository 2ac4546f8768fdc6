import { rcompare } from "semver";
import * as v from "valibot";
import { partitionOf } from "../../aws/partition.ts";
import { SANDBOX_ACCOUNT, type Region } from "../account.ts";
import { iotArn } from "../arns.ts";
import { addressIn, ConnectivityInfo, sentAddress, setConnectivity } from "../greengrass/connectivity.ts";
import { hasPublicVersion, isPublic, publicRecipe, publicVersions } from "../greengrass/public-components.ts";
import { manifestFor, meets, recipeForCore, recipeIn, type Recipe } from "../greengrass/recipes.ts";
import type { Artifacts } from "./artifacts.ts";
import { thingArn, type Answered, type Asked, type Route } from "./https.ts";
import { objectIn } from "./messages.ts";

/**
 * What a core asks of Greengrass over HTTPS (botocore's greengrassv2 model, and what aws-greengrass-lite sends;
 * where it is public). What the classic nucleus asks at paths that nobody publishes is answered 501, by name.
 */
export function coreRoutes(artifactUrl: Artifacts["url"]): readonly Route[] {
  return [
    {
      pattern: "GET /greengrass/v2/coreDevices/{core}/thingGroups",
      handle: ({ region, path: { core = "" }, must }) => {
        const refused = must(
          "greengrass:ListThingGroupsForCoreDevice",
          greengrassArn(region, `coreDevices:${core}`),
        );
        const groups = region.memberships.leftOf(core).flatMap((group) => region.groups.get(group) ?? []);
        return (
          refused ?? {
            status: 200,
            body: {
              thingGroups: groups.map(({ name }) => ({
                thingGroupArn: iotArn(region, `thinggroup/${name}`),
                thingGroupName: name,
                rootToParentThingGroups: [],
              })),
            },
          }
        );
      },
    },
    { pattern: "POST /greengrass/v2/resolveComponentCandidates", handle: resolve },
    {
      pattern: "GET /greengrass/v2/components/{arn}/artifacts/{name+}",
      handle: ({ region, path: { arn = "", name = "" }, address, must }) => {
        const url = artifactUrl(name, address);
        return (
          must("greengrass:GetComponentVersionArtifact", arn) ??
          (url === undefined || !region.components.has(arn)
            ? notThere(`Artifact ${name} does not exist`, name, "artifact")
            : { status: 200, body: { preSignedUrl: url } })
        );
      },
    },
    {
      pattern: "GET /greengrass/things/{thing}/connectivityInfo",
      handle: ({ region, path: { thing = "" }, must }) =>
        must("greengrass:GetConnectivityInfo", thingArn(region, thing)) ?? {
          status: 200,
          body: {
            ConnectivityInfo: (region.connectivity.get(thing)?.addresses ?? []).map(sentAddress),
          },
        },
    },
    { pattern: "PUT /greengrass/things/{thing}/connectivityInfo", handle: putConnectivity },
  ];
}

const addresses = v.object({ ConnectivityInfo });

async function putConnectivity({ region, path: { thing = "" }, text, must, save }: Asked): Promise<Answered> {
  const refused = must("greengrass:UpdateConnectivityInfo", thingArn(region, thing));
  if (refused !== undefined) {
    return refused;
  }
  const said = v.safeParse(addresses, objectIn(text));
  if (!said.success) {
    return invalidRequest(said.issues[0].message);
  }
  const next = said.output.ConnectivityInfo.map(addressIn);
  const known = region.connectivity.get(thing);
  if (known !== undefined && JSON.stringify(known.addresses) === JSON.stringify(next)) {
    return { status: 200, body: { Version: String(known.version) } };
  }
  const version = setConnectivity(region, thing, next);
  await save();
  return { status: 200, body: { Version: String(version) } };
}

const candidates = v.object({
  componentCandidates: v.array(
    v.object({
      componentName: v.string(),
      componentVersion: v.nullish(v.string()),
      versionRequirements: v.nullish(v.record(v.string(), v.string()), {}),
    }),
  ),
  platform: v.optional(v.object({ attributes: v.nullish(v.record(v.string(), v.string()), {}) }), {
    attributes: {},
  }),
});

type Candidate = v.InferOutput<typeof candidates>["componentCandidates"][number];

/** The newest version of each component that meets every requirement, and has a manifest for the platform. */
function resolve({ region, text, must }: Asked): Answered {
  const said = v.safeParse(candidates, objectIn(text));
  if (!said.success) {
    return invalidRequest(said.issues[0].message);
  }
  const { componentCandidates, platform } = said.output;
  const resolved: object[] = [];
  for (const candidate of componentCandidates) {
    const refused = must(
      "greengrass:ResolveComponentCandidates",
      greengrassArn(region, `components:${candidate.componentName}:versions:*`),
    );
    if (refused !== undefined) {
      return refused;
    }
    const versions = versionsOf(region, candidate);
    const found = versions.find(({ recipe }) => manifestFor(recipe, platform.attributes ?? {}) !== undefined);
    if (found === undefined) {
      const name = candidate.componentName;
      const wanted = Object.values(candidate.versionRequirements ?? {}).join(", ") || "any version";
      return versions.length === 0
        ? notThere(`no usable version of ${name} meets ${wanted}`, name, "component")
        : notThere(
            `${name} does not claim platform ${JSON.stringify(platform.attributes)}`,
            name,
            "component",
          );
    }
    const { recipe, arn } = found;
    resolved.push({
      arn,
      componentName: recipe.ComponentName,
      componentVersion: recipe.ComponentVersion,
      recipe: Buffer.from(recipeForCore(recipe, (uri) => uri.slice("s3://".length))).toString("base64"),
      vendorGuidance: "ACTIVE",
      message: "",
    });
  }
  return { status: 200, body: { resolvedComponentVersions: resolved } };
}

/** Those that meet the requirements, the newest first. */
function versionsOf(region: Region, candidate: Candidate): { recipe: Recipe; arn: string }[] {
  const { componentName: name, componentVersion: pinned } = candidate;
  const ranges = [...Object.values(candidate.versionRequirements ?? {}), ...(pinned ? [`=${pinned}`] : [])];
  // A version of a nucleus is as good as any other: the one that is asked for is there.
  const exact = ranges.flatMap((range) => /^[=v]*(\d+\.\d+\.\d+)$/.exec(range)?.[1] ?? []);
  const theirs = isPublic(name)
    ? [
        ...new Set([...exact.filter((version) => hasPublicVersion(name, version)), ...publicVersions(name)]),
      ].map((version) => ({
        recipe: recipeIn(publicRecipe(name, version)),
        arn: publicArn(region, name, version),
      }))
    : [];
  const ours = [...region.components.values()]
    .filter((one) => one.name === name)
    .map(({ recipe, arn }) => ({ recipe: recipeIn(recipe), arn }));
  return [...theirs, ...ours]
    .filter(({ recipe }) => ranges.every((range) => meets(recipe.ComponentVersion, range)))
    .sort((a, b) => rcompare(a.recipe.ComponentVersion, b.recipe.ComponentVersion));
}

function greengrassArn(region: Region, resource: string): string {
  return `arn:${partitionOf(region.name).name}:greengrass:${region.name}:${SANDBOX_ACCOUNT}:${resource}`;
}

function publicArn(region: Region, name: string, version: string): string {
  return `arn:${partitionOf(region.name).name}:greengrass:${region.name}:aws:components:${name}:versions:${version}`;
}

function notThere(message: string, resourceId: string, resourceType: string): Answered {
  return {
    status: 404,
    errorType: "ResourceNotFoundException",
    body: { message, resourceId, resourceType },
    why: message,
  };
}

function invalidRequest(message: string): Answered {
  return { status: 400, errorType: "ValidationException", body: { message }, why: message };
}

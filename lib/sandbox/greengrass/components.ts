import * as v from "valibot";
import { stringify } from "yaml";
import { partitionOf } from "../../aws/partition.ts";
import { SANDBOX_ACCOUNT, textRecord, type ComponentVersion, type Region } from "../account.ts";
import { integer, page } from "../members.ts";
import { AwsError, rest } from "../operation.ts";
import { publicVersions } from "./public-components.ts";
import type { ObjectStore } from "../objects.ts";
import { recipeIn, type Artifact, type Recipe } from "./recipes.ts";
import { clientToken, invalid, notFound } from "./registry.ts";

/** The ARN of a version of one of the account's own components. */
export function componentArn(region: Region, name: string, version: string): string {
  return `arn:${partitionOf(region.name).name}:greengrass:${region.name}:${SANDBOX_ACCOUNT}:components:${name}:versions:${version}`;
}

const paging = { maxResults: v.optional(integer), nextToken: v.optional(v.string()) };

const DEPLOYABLE = {
  componentState: "DEPLOYABLE",
  message: "NONE",
  errors: {},
  vendorGuidance: "ACTIVE",
  vendorGuidanceMessage: "NONE",
};

function componentAt(region: Region, arn: string): ComponentVersion {
  const found = region.components.get(arn);
  if (found === undefined) {
    throw notFound("componentVersion", arn);
  }
  return found;
}

/**
 * Component versions
 * (https://docs.aws.amazon.com/greengrass/v2/APIReference/API_CreateComponentVersion.html), from recipes in JSON or
 * YAML. Those in Lambda functions are not modelled.
 */
export const componentOperations = [
  rest(
    "greengrass",
    "CreateComponentVersion",
    "POST /greengrass/v2/createComponentVersion 201",
    {
      inlineRecipe: v.string(),
      tags: v.optional(textRecord, {}),
      clientToken: v.optional(clientToken),
    },
    async ({ region, objects, now }, input) => {
      const parsed = readRecipe(Buffer.from(input.inlineRecipe, "base64").toString("utf8"));
      const recipe = JSON.stringify(await withDigests(parsed, objects));
      const { ComponentName: name, ComponentVersion: version } = parsed;
      const arn = componentArn(region, name, version);
      const old = region.components.get(arn);
      if (old !== undefined && (old.token === undefined || old.token !== input.clientToken)) {
        throw new AwsError(
          409,
          "ConflictException",
          `Component ${name} with version ${version} already exists`,
          { resourceId: arn, resourceType: "component" },
        );
      }
      const token = input.clientToken === undefined ? {} : { token: input.clientToken };
      region.components.set(
        arn,
        old ?? { arn, name, version, recipe, tags: input.tags, createdAt: now, ...token },
      );
      return {
        arn,
        componentName: name,
        componentVersion: version,
        creationTimestamp: old?.createdAt ?? now,
        status: DEPLOYABLE,
      };
    },
  ),

  rest(
    "greengrass",
    "DescribeComponent",
    "GET /greengrass/v2/components/{arn}/metadata",
    { arn: v.string() },
    ({ region }, input) => {
      const { arn, name, version, createdAt, tags } = componentAt(region, input.arn);
      return {
        arn,
        componentName: name,
        componentVersion: version,
        creationTimestamp: createdAt,
        status: DEPLOYABLE,
        tags,
        platforms: [],
      };
    },
  ),

  rest(
    "greengrass",
    "GetComponent",
    "GET /greengrass/v2/components/{arn}",
    { arn: v.string(), recipeOutputFormat: v.optional(v.picklist(["JSON", "YAML"]), "JSON") },
    ({ region }, input) => {
      const { recipe, tags } = componentAt(region, input.arn);
      const found = readRecipe(recipe);
      const text = input.recipeOutputFormat === "JSON" ? JSON.stringify(found) : stringify(found);
      return {
        recipeOutputFormat: input.recipeOutputFormat,
        recipe: Buffer.from(text).toString("base64"),
        tags,
      };
    },
  ),

  rest(
    "greengrass",
    "DeleteComponent",
    "DELETE /greengrass/v2/components/{arn} 204",
    { arn: v.string() },
    ({ region }, input) => {
      region.components.delete(componentAt(region, input.arn).arn);
      return undefined;
    },
  ),

  rest(
    "greengrass",
    "ListComponentVersions",
    "GET /greengrass/v2/components/{arn}/versions",
    { arn: v.string(), ...paging },
    ({ region }, input) => {
      const [, owner, name = ""] = /:greengrass:[^:]+:([^:]+):components:([^:]+)$/.exec(input.arn) ?? [];
      const ours = [...region.components.values()]
        .filter((one) => one.name === name)
        .map(({ version, arn }) => ({ componentName: name, componentVersion: version, arn }));
      const theirs = publicVersions(name).map((version) => ({
        componentName: name,
        componentVersion: version,
        arn: `${input.arn}:versions:${version}`,
      }));
      const versions = owner === "aws" ? theirs : ours;
      if (versions.length === 0) {
        throw notFound("component", input.arn);
      }
      const { entries, next } = page(versions, input.maxResults, input.nextToken);
      return { componentVersions: entries, nextToken: next };
    },
  ),
];

/** AWS looks an artifact in S3 up when the version is made, and pins its digest. */
async function withDigests(recipe: Recipe, objects: ObjectStore): Promise<Recipe> {
  const pinned = async (one: Artifact): Promise<Artifact> => {
    const uri = one.Uri ?? one.URI ?? "";
    if (!uri.startsWith("s3://")) {
      return one;
    }
    const name = uri.slice("s3://".length);
    if (!objects.has(name)) {
      throw invalid(`The artifact ${uri} cannot be found in S3`);
    }
    return { ...one, Digest: await objects.digest(name), Algorithm: "SHA-256" };
  };
  const Manifests = [];
  for (const one of recipe.Manifests ?? []) {
    Manifests.push({ ...one, Artifacts: await Promise.all((one.Artifacts ?? []).map(pinned)) });
  }
  return { ...recipe, Manifests };
}

function readRecipe(text: string): Recipe {
  try {
    return recipeIn(text);
  } catch (error) {
    throw invalid((error as Error).message);
  }
}

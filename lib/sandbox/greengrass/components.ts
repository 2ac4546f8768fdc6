import * as v from "valibot";
import { partitionOf } from "../../aws/partition.ts";
import { SANDBOX_ACCOUNT, textRecord, type ComponentVersion, type Region } from "../account.ts";
import { integer, page } from "../members.ts";
import { AwsError, rest } from "../operation.ts";
import { clientToken, invalid, notFound } from "./registry.ts";

/**
 * Versions of AWS's own components that the sandbox knows. Those without a list follow the nucleus: every one
 * from 2.9.5 on is taken.
 */
const PUBLIC: ReadonlyMap<string, readonly string[] | undefined> = new Map([
  ["aws.greengrass.Nucleus", undefined],
  ["aws.greengrass.Cli", undefined],
  ["aws.greengrass.clientdevices.Auth", ["2.5.0", "2.5.1", "2.5.2"]],
  ["aws.greengrass.clientdevices.mqtt.Moquette", ["2.3.5", "2.3.6", "2.3.7"]],
  ["aws.greengrass.clientdevices.IPDetector", ["2.1.9", "2.2.0"]],
]);

/** Whether a deployment finds that version, of AWS or of the account. */
export function hasComponent(region: Region, name: string, version: string): boolean {
  if (PUBLIC.has(name)) {
    return PUBLIC.get(name)?.includes(version) ?? /^2\.(9\.[5-9]|[1-9]\d+\.\d+)$/.test(version);
  }
  return region.components.has(componentArn(region, name, version));
}

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
 * (https://docs.aws.amazon.com/greengrass/v2/APIReference/API_CreateComponentVersion.html); recipes in YAML
 * are not modelled.
 */
export const componentOperations = [
  rest(
    "greengrass",
    "CreateComponentVersion",
    "POST /greengrass/v2/createComponentVersion",
    {
      inlineRecipe: v.string(),
      tags: v.optional(textRecord, {}),
      clientToken: v.optional(clientToken),
    },
    ({ region, now }, input) => {
      const recipe = Buffer.from(input.inlineRecipe, "base64").toString("utf8");
      const { name, version } = recipeOf(recipe);
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
    { arn: v.string(), recipeOutputFormat: v.optional(v.literal("JSON")) },
    ({ region }, input) => {
      const { recipe, tags } = componentAt(region, input.arn);
      return { recipeOutputFormat: "JSON", recipe: Buffer.from(recipe).toString("base64"), tags };
    },
  ),

  rest(
    "greengrass",
    "DeleteComponent",
    "DELETE /greengrass/v2/components/{arn}",
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
      const theirs = (PUBLIC.has(name) ? (PUBLIC.get(name) ?? ["2.16.0"]) : []).map((version) => ({
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

/** What a recipe calls itself. */
function recipeOf(recipe: string): { name: string; version: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(recipe);
  } catch {
    throw invalid("The sandbox reads recipes in JSON only, and this is none");
  }
  const {
    RecipeFormatVersion: format,
    ComponentName: name,
    ComponentVersion: version,
  } = (parsed ?? {}) as Record<string, unknown>;
  if (
    format !== "2020-01-25" ||
    typeof name !== "string" ||
    typeof version !== "string" ||
    !/^\d{1,6}\.\d{1,6}\.\d{1,6}$/.test(version)
  ) {
    throw invalid(
      "The recipe has no RecipeFormatVersion 2020-01-25, ComponentName, or ComponentVersion of three numbers",
    );
  }
  return { name, version };
}

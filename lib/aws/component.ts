import { createHash } from "node:crypto";
import { artifactKey, type Artifact, type VersionedRecipe } from "../device/component-recipe.ts";
import { ProblemError } from "../problem/index.ts";
import { call, lookUp } from "./call.ts";
import type { AwsAccess } from "./clients.ts";
import { checkOwner, INSTANCE_TAG } from "./ownership.ts";
import { partitionOf } from "./partition.ts";

const CONTENT_TAG = "dospesos:content";

export interface ComponentWanted {
  readonly instance: string;
  /** 12 digits */
  readonly account: string;
  /** The text of a VersionedRecipe. */
  readonly recipe: string;
  readonly artifacts: readonly Artifact[];
  readonly bucket: string | undefined;
}

/**
 * The component version with that recipe, registered once: its artifacts go to S3 first. A version that is
 * there stays as it is.
 * https://docs.aws.amazon.com/greengrass/v2/APIReference/API_CreateComponentVersion.html
 * @throws ProblemError (exit 4) where the version is somebody else's or has another content.
 */
export async function ensureComponent(
  access: AwsAccess,
  { instance, account, recipe, artifacts, bucket }: ComponentWanted,
): Promise<{ readonly arn: string }> {
  const { CreateComponentVersionCommand, DescribeComponentCommand } =
    await import("@aws-sdk/client-greengrassv2");
  const { ComponentName: name, ComponentVersion: version } = JSON.parse(recipe) as VersionedRecipe;
  const arn = `arn:${partitionOf(access.region).name}:greengrass:${access.region}:${account}:components:${name}:versions:${version}`;
  const digest = createHash("sha256").update(recipe).digest("hex");
  const greengrass = await access.greengrass();
  const found = await lookUp({ action: "greengrass:DescribeComponent", resource: arn }, () =>
    greengrass.send(new DescribeComponentCommand({ arn })),
  );
  if (found !== undefined) {
    checkOwner(`the component ${name} ${version}`, found.tags?.[INSTANCE_TAG], instance);
    if (found.tags?.[CONTENT_TAG] === digest) {
      return { arn };
    }
    throw new ProblemError([
      {
        code: "DP642",
        what: `the component ${name} ${version} exists with another content`,
        why: "a version never changes",
        fix: "raise the minor number of ComponentVersion in its recipe",
      },
    ]);
  }
  if (artifacts.length > 0) {
    await upload(access, { name, version, artifacts, bucket });
  }
  const made = await call({ action: "greengrass:CreateComponentVersion", resource: arn }, () =>
    greengrass.send(
      new CreateComponentVersionCommand({
        inlineRecipe: Buffer.from(recipe),
        clientToken: digest,
        tags: { [INSTANCE_TAG]: instance, [CONTENT_TAG]: digest },
      }),
    ),
  );
  return { arn: made.arn ?? arn };
}

async function upload(
  access: AwsAccess,
  {
    name,
    version,
    artifacts,
    bucket,
  }: Pick<ComponentWanted, "artifacts" | "bucket"> & { name: string; version: string },
): Promise<void> {
  const { PutObjectCommand } = await import("@aws-sdk/client-s3");
  const s3 = await access.s3();
  for (const { path, bytes } of artifacts) {
    const Key = artifactKey(name, version, path);
    await call({ action: "s3:PutObject", resource: `${bucket}/${Key}` }, () =>
      s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: bytes, ServerSideEncryption: "AES256" })),
    );
  }
}

/**
 * Deletes every version of the component that the instance made
 * (https://docs.aws.amazon.com/greengrass/v2/APIReference/API_DeleteComponent.html).
 */
export async function removeComponent(
  access: AwsAccess,
  versionArn: string,
  instance: string,
): Promise<void> {
  const { DeleteComponentCommand, DescribeComponentCommand, paginateListComponentVersions } =
    await import("@aws-sdk/client-greengrassv2");
  const greengrass = await access.greengrass();
  const base = versionArn.replace(/:versions:[^:]+$/, "");
  const componentVersions =
    (await lookUp({ action: "greengrass:ListComponentVersions", resource: base }, async () => {
      const all = [];
      for await (const part of paginateListComponentVersions({ client: greengrass }, { arn: base })) {
        all.push(...(part.componentVersions ?? []));
      }
      return all;
    })) ?? [];
  for (const { arn = "" } of componentVersions) {
    const { tags } = await call({ action: "greengrass:DescribeComponent", resource: arn }, () =>
      greengrass.send(new DescribeComponentCommand({ arn })),
    );
    if (tags?.[INSTANCE_TAG] === instance) {
      await call({ action: "greengrass:DeleteComponent", resource: arn }, () =>
        greengrass.send(new DeleteComponentCommand({ arn })),
      );
    }
  }
}

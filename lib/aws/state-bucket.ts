import type { S3Client } from "@aws-sdk/client-s3";
import { ProblemError } from "../problem/index.ts";
import { call, lookUp } from "./call.ts";
import { awsSettings } from "./clients.ts";
import { instanceOf, instanceTags } from "./ownership.ts";

/** Where states lie in S3, and who asks. */
export interface StateStore {
  readonly bucket: string;
  readonly region: string;
  /** Another S3 than AWS's, or empty. */
  readonly endpoint: string;
  /** Stands for credentials where there are none: the sandbox has no others. */
  readonly anyCredentials: boolean;
}

export interface StateBucket extends StateStore {
  readonly instance: string;
}

/**
 * The bucket that keeps Terraform's states, made where there is none: versioned, so that every older state
 * can be had again; encrypted; closed to the public. A bucket that somebody else made is taken as it is, if
 * it is versioned. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html,
 * API_PutBucketVersioning.html, API_PutBucketEncryption.html, API_PutPublicAccessBlock.html
 * @throws ProblemError (exit 4) where the bucket is not ours and not versioned, or cannot be reached.
 */
export async function ensureStateBucket(
  options: StateBucket,
): Promise<{ readonly bucket: string; readonly ours: boolean }> {
  const s3 = await clientFor(options);
  try {
    return await ensured(s3, options);
  } finally {
    s3.destroy();
  }
}

/**
 * Puts an object where there is none (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html,
 * If-None-Match).
 * @throws ProblemError (exit 1) where somebody else was faster.
 */
export async function putNewObject(
  options: StateStore & { readonly key: string; readonly body: string },
): Promise<void> {
  const { PutObjectCommand } = await import("@aws-sdk/client-s3");
  const s3 = await clientFor(options);
  const { bucket: Bucket, key: Key, body: Body } = options;
  try {
    await call({ action: "s3:PutObject", resource: Key }, () =>
      s3.send(
        new PutObjectCommand({
          Bucket,
          Key,
          Body,
          IfNoneMatch: "*",
          ServerSideEncryption: "AES256",
          ContentType: "application/json",
        }),
      ),
    );
  } finally {
    s3.destroy();
  }
}

async function ensured(
  s3: S3Client,
  { bucket: Bucket, region, instance }: StateBucket,
): Promise<{ readonly bucket: string; readonly ours: boolean }> {
  const {
    CreateBucketCommand,
    GetBucketTaggingCommand,
    GetBucketVersioningCommand,
    HeadBucketCommand,
    PutBucketEncryptionCommand,
    PutBucketTaggingCommand,
    PutBucketVersioningCommand,
    PutPublicAccessBlockCommand,
  } = await import("@aws-sdk/client-s3");
  const operation = (action: string) => ({ action: `s3:${action}`, resource: Bucket });
  const found = await lookUp(operation("HeadBucket"), () => s3.send(new HeadBucketCommand({ Bucket })));
  if (found === undefined) {
    const where =
      region === "us-east-1"
        ? {}
        : { CreateBucketConfiguration: { LocationConstraint: region as "eu-west-1" } };
    await call(operation("CreateBucket"), () => s3.send(new CreateBucketCommand({ Bucket, ...where })));
    await call(operation("PutBucketTagging"), () =>
      s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: instanceTags(instance) } })),
    );
  } else if (
    instanceOf(
      (await lookUp(operation("GetBucketTagging"), () => s3.send(new GetBucketTaggingCommand({ Bucket }))))
        ?.TagSet,
    ) !== instance
  ) {
    const { Status } = await call(operation("GetBucketVersioning"), () =>
      s3.send(new GetBucketVersioningCommand({ Bucket })),
    );
    if (Status === "Enabled") {
      return { bucket: Bucket, ours: false };
    }
    throw new ProblemError([
      {
        code: "DP415",
        what: `the bucket ${Bucket} is there, is not of this instance, and is not versioned`,
        why: "a state that is overwritten could not be had again",
        fix:
          `aws s3api put-bucket-versioning --bucket ${Bucket} ` +
          "--versioning-configuration Status=Enabled, or name another [terraform] bucket",
      },
    ]);
  }
  const PublicAccessBlockConfiguration = {
    BlockPublicAcls: true,
    BlockPublicPolicy: true,
    IgnorePublicAcls: true,
    RestrictPublicBuckets: true,
  };
  await call(operation("PutPublicAccessBlock"), () =>
    s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration })),
  );
  await call(operation("PutBucketVersioning"), () =>
    s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } })),
  );
  const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" as const } }];
  await call(operation("PutBucketEncryption"), () =>
    s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } })),
  );
  return { bucket: Bucket, ours: true };
}

async function clientFor({ region, endpoint, anyCredentials }: StateStore): Promise<S3Client> {
  const { S3Client } = await import("@aws-sdk/client-s3");
  const {
    AWS_ACCESS_KEY_ID: accessKeyId = "SANDBOX",
    AWS_SECRET_ACCESS_KEY: secretAccessKey = "SANDBOX",
    AWS_SESSION_TOKEN: sessionToken,
  } = process.env;
  return new S3Client({
    region,
    ...awsSettings(),
    ...(endpoint === "" ? {} : { endpoint, forcePathStyle: true }),
    ...(anyCredentials
      ? {
          credentials: {
            accessKeyId,
            secretAccessKey,
            ...(sessionToken === undefined ? {} : { sessionToken }),
          },
        }
      : {}),
  });
}

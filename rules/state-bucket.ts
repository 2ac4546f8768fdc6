import { accountEffect, accountKind, ensureStateBucket, type Settings } from "dospesos";

/** It is never destroyed: it holds the history of all states. */
const stateBucketKind = accountKind<{ bucket: string }>({ kind: "state bucket", version: "2" });

/**
 * The S3 bucket of Terraform's states, where the settings ask for one: made before anything is applied, and
 * never destroyed.
 */
export function stateBucket(settings: Settings) {
  if (settings.terraform.backend !== "s3") {
    return [];
  }
  const instance = settings.instance.name;
  return [
    accountEffect({
      kind: stateBucketKind,
      name: instance,
      needs: {},
      changes: (_, { settings }) => [
        `${settings.terraform.endpoint || "S3"}: make the bucket ` +
          `${settings.terraform.bucket}, versioned, encrypted and private, if there is none`,
      ],
      apply: (_, __, { settings }) =>
        ensureStateBucket({
          bucket: settings.terraform.bucket ?? "",
          region: settings.aws.region,
          endpoint: settings.terraform.endpoint,
          instance,
          anyCredentials: settings.sandbox,
        }),
    }),
  ];
}

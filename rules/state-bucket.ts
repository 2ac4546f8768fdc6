import { accountEffect, ensureStateBucket, type Settings } from "dospesos";

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
      name: `state bucket ${instance}`,
      marker: `${instance}.state-bucket`,
      needs: {},
      version: "1",
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

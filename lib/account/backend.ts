import type { Settings } from "../settings/index.ts";
import type { Backend } from "../terraform/backend.ts";

/** Where the settings say that Terraform's states are kept. */
export function backendOf({ terraform, aws }: Settings): Backend {
  if (terraform.backend === "local") {
    return { kind: "local" };
  }
  return {
    kind: "s3",
    bucket: terraform.bucket ?? "",
    prefix: terraform.prefix,
    region: aws.region,
    endpoint: terraform.endpoint,
  };
}

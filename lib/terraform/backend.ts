import { environmentName } from "../layout.ts";
import { stateFile, type ModuleInstance } from "./module-instance.ts";

/** Where states are kept. */
export type Backend = { readonly kind: "local" } | S3Backend;

export interface S3Backend {
  readonly kind: "s3";
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string;
  /** Another S3 than AWS's, or empty. */
  readonly endpoint: string;
}

/** The key of a module's state in the bucket. */
export function stateKey({ prefix }: S3Backend, { account, region, module, name }: ModuleInstance): string {
  const environment = environmentName();
  const start = environment === "" ? prefix : `${prefix}/env/${environment}`;
  return `${start}/${account}/${region}/${module}/${name}.tfstate`;
}

/**
 * The content of the file that tells Terraform where the state of a module is. S3 locks by a file beside the
 * state, written only if there is none (Terraform documentation, "S3 backend", use_lockfile).
 */
export function backendConfiguration(backend: Backend, instance: ModuleInstance): string {
  const block =
    backend.kind === "local"
      ? { local: { path: `${instance.root}/${stateFile(instance)}` } }
      : {
          s3: {
            bucket: backend.bucket,
            key: stateKey(backend, instance),
            region: backend.region,
            use_lockfile: true,
            encrypt: true,
            ...(backend.endpoint === ""
              ? {}
              : {
                  endpoints: { s3: backend.endpoint },
                  use_path_style: true,
                  skip_credentials_validation: true,
                  skip_requesting_account_id: true,
                  skip_metadata_api_check: true,
                  skip_s3_checksum: true,
                }),
          },
        };
  return `${JSON.stringify({ terraform: { backend: block } }, null, 2)}\n`;
}

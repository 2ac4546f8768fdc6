import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** What Terraform's provider needs to talk to an embedded account. */
export interface SandboxEndpoint {
  readonly endpoint: string;
  readonly region: string;
  /** Whether the state lies in S3, which is none of the sandbox's and has credentials of its own. */
  readonly stateInS3: boolean;
}

/**
 * What a person may want to say about where providers come from; every other TF_ variable could change what
 * is planned.
 */
const KEPT = ["TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR"];

/**
 * What of the AWS variables counts in a sandbox whose state lies in S3. The provider is given others in the module's
 * copy: whoever listens at the sandbox's port after a crash gets none that are real.
 */
const CREDENTIALS = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/**
 * The environment of Terraform: the person's own without TF_ variables, which could inject arguments,
 * variables, a workspace or logs (Terraform CLI documentation, "Environment variables"). With a sandbox
 * nothing of AWS's configuration is left, so that no request can leave for AWS. `pluginCache` is where
 * providers are kept if the person has named no other place.
 */
export function terraformEnvironment(
  own: NodeJS.ProcessEnv,
  pluginCache: string,
  sandbox?: SandboxEndpoint,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (
      value === undefined ||
      (name.startsWith("TF_") && !KEPT.includes(name)) ||
      (sandbox !== undefined && name.startsWith("AWS_"))
    ) {
      continue;
    }
    environment[name] = value;
  }
  // Terraform itself only warns of a configuration file that is not there.
  if (!existsSync(environment["TF_CLI_CONFIG_FILE"] ?? "")) {
    delete environment["TF_CLI_CONFIG_FILE"];
  }
  if (
    environment["TF_PLUGIN_CACHE_DIR"] === undefined &&
    !configuresCache(environment["TF_CLI_CONFIG_FILE"])
  ) {
    environment["TF_PLUGIN_CACHE_DIR"] = pluginCache;
  }
  const cache = environment["TF_PLUGIN_CACHE_DIR"];
  if (cache !== undefined) {
    mkdirSync(cache, { recursive: true });
  }
  Object.assign(environment, {
    TF_IN_AUTOMATION: "1",
    TF_INPUT: "0",
    CHECKPOINT_DISABLE: "1",
    NO_COLOR: "1",
  });
  if (sandbox !== undefined) {
    Object.assign(environment, sandboxVariables(own, sandbox));
  }
  return environment;
}

function sandboxVariables(
  own: NodeJS.ProcessEnv,
  { endpoint, region, stateInS3 }: SandboxEndpoint,
): Record<string, string> {
  const given = Object.fromEntries(
    (stateInS3 ? CREDENTIALS : []).flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]])),
  );
  return {
    AWS_ACCESS_KEY_ID: "SANDBOX",
    AWS_SECRET_ACCESS_KEY: "SANDBOX",
    ...given,
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_EC2_METADATA_DISABLED: "true",
    // What is not there cannot be read: no profile of the person's counts.
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
}

/** Whether the person's own Terraform configuration says where providers are cached. */
function configuresCache(file: string | undefined): boolean {
  const path = file ?? join(homedir(), ".terraformrc");
  return existsSync(path) && /^\s*plugin_cache_dir\s*=/m.test(readFileSync(path, "utf8"));
}

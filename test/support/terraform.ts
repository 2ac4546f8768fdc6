import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, parse, resolve } from "node:path";
import type { Test } from "uvu";
import { tempFolder } from "./temp.ts";
import { toolPath } from "./tools.ts";

/**
 * The folder of a Terraform provider mirror that has hashicorp/aws, or undefined: DOSPESOS_TERRAFORM_MIRROR
 * if it is set, else the places where terraform itself looks (Terraform CLI documentation, "Implied local
 * mirror directories"), the share folder beside the terraform program, and the folders of /opt.
 */
export function providerMirror(): string | undefined {
  const named = process.env["DOSPESOS_TERRAFORM_MIRROR"];
  if (named !== undefined && named !== "") {
    return [resolve(named), resolve(named, "plugins")].find(hasAwsProvider);
  }
  const terraform = toolPath("terraform");
  const shares = (process.env["XDG_DATA_DIRS"] ?? "/usr/local/share:/usr/share").split(":");
  if (terraform !== undefined) {
    shares.push(resolve(dirname(terraform), "..", "share"));
  }
  const opt = join(parse(process.cwd()).root, "opt");
  return [
    join(homedir(), ".terraform.d", "plugins"),
    ...shares.map((share) => join(share, "terraform", "plugins")),
    ...subfolders(opt).flatMap((folder) => [folder, join(folder, "plugins")]),
  ].find(hasAwsProvider);
}

/**
 * The environment for running terraform with the providers of a mirror: it asks nothing over the network and
 * keeps its own files in a temporary folder instead of the module's. It holds no TF_ variable and no AWS
 * credentials of the caller.
 */
export function terraformEnvironment(mirror?: string): NodeJS.ProcessEnv {
  const folder = tempFolder("terraform");
  const config = join(folder, "terraform.rc");
  const source = mirror === undefined ? "" : `filesystem_mirror { path = ${JSON.stringify(mirror)} }`;
  writeFileSync(config, `provider_installation {\n  ${source}\n}\n`);
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("TF_") && !name.startsWith("AWS_"),
  );
  return {
    ...Object.fromEntries(own),
    CHECKPOINT_DISABLE: "1",
    // Terraform and its provider live for seconds: with little garbage collection they need a fifth less processor, and
    // with none they spend more on new pages.
    GOGC: "400",
    NO_COLOR: "1",
    TF_CLI_CONFIG_FILE: config,
    TF_DATA_DIR: join(folder, "data"),
    TF_IN_AUTOMATION: "1",
    TF_INPUT: "0",
  };
}

/**
 * Declares a test that needs terraform, the AWS provider, and perhaps other programs. Where one is missing it
 * says so and counts as skipped.
 */
export function testWithProvider(
  test: Test,
  name: string,
  body: (mirror: string) => Promise<void>,
  tools: readonly string[] = [],
): void {
  const mirror = providerMirror();
  const missing = ["terraform", ...tools].filter((tool) => toolPath(tool) === undefined);
  if (missing.length === 0 && mirror !== undefined) {
    test(name, () => body(mirror));
  } else {
    console.error(
      `\nNOT RUN (needs ${missing.join(", ") || "a provider mirror: set DOSPESOS_TERRAFORM_MIRROR"}): ${name}`,
    );
    test.skip(name, () => undefined);
  }
}

/** A mirror holds HOST/hashicorp/aws. */
function hasAwsProvider(folder: string): boolean {
  return subfolders(folder).some((host) => existsSync(join(host, "hashicorp", "aws")));
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return []; // not there, not a folder, or not readable: nothing to find in it
  }
}

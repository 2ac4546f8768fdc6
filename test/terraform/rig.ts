import { execFile } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { awsAccess, type AwsAccess } from "../../lib/aws/clients.ts";
import { openSandbox, type Sandbox } from "../../lib/sandbox/server.ts";
import { freshClone, type Clone, type Ended } from "../support/clone.ts";
import { ran } from "../support/bin.ts";
import { terraformEnvironment } from "../support/terraform.ts";

export const REGION = "eu-west-1";
export const CANARY = "canary-5d1f0c7e";

/** A fresh clone whose sandbox is changed by real Terraform. */
export interface TerraformClone extends Clone {
  readonly environment: NodeJS.ProcessEnv;
  path: (name: string) => string;
  read: (name: string) => string;
  edit: (name: string, change: (text: string) => string) => void;
  /** Runs dospesos with a hostile environment: variables that would change every plan, and secrets. */
  run: (...words: string[]) => Ended;
  /** Runs another program in the same environment. */
  runWith: (program: string, ...words: string[]) => Ended;
  /** Runs terraform by hand in a module's folder, against the clone's sandbox. */
  terraform: (module: string, name: string, ...words: string[]) => Promise<Ended>;
  /** Opens the clone's sandbox, as it is, for the time of the body. */
  inAccount: <T>(body: (access: AwsAccess, sandbox: Sandbox) => Promise<T>) => Promise<T>;
}

export function terraformClone(mirror: string, settings = "\n[sandbox]\nterraform = on\n"): TerraformClone {
  const clone = freshClone();
  const path = (name: string): string => join(clone.root, name);
  const read = (name: string): string => readFileSync(path(name), "utf8");
  appendFileSync(path("settings.ini"), settings);
  const plain = terraformEnvironment(mirror);
  const environment = {
    ...plain,
    TF_CLI_ARGS_plan: "-destroy",
    TF_WORKSPACE: "another",
    TF_VAR_region: "us-east-1",
    AWS_SECRET_ACCESS_KEY: CANARY,
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    TF_VAR_secret: CANARY,
  };
  return {
    ...clone,
    environment,
    path,
    read,
    inAccount: (body) => inAccount(clone.root, body),
    edit: (name, change) => writeFileSync(path(name), change(read(name))),
    run: (...words) => clone.dospesosWith(environment, ...words),
    runWith: (program, ...words) => ran(clone.root, program, words, environment),
    terraform: (module, name, ...words) =>
      inAccount(
        clone.root,
        (_, sandbox) =>
          new Promise((resolve) => {
            const env = {
              ...plain,
              TF_DATA_DIR: undefined,
              AWS_ENDPOINT_URL: sandbox.endpoint,
              AWS_ACCESS_KEY_ID: "SANDBOX",
              AWS_SECRET_ACCESS_KEY: "SANDBOX",
              AWS_REGION: REGION,
              AWS_EC2_METADATA_DISABLED: "true",
            };
            const cwd = path(`terraform/state/000000000000/${REGION}/${module}/${name}.work/module`);
            execFile("terraform", words, { cwd, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
              resolve({ exit: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
            );
          }),
      ),
  };
}

/** Opens the sandbox of a clone, as it is, for the time of the body. */
export async function inAccount<T>(
  root: string,
  body: (access: AwsAccess, sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const file = join(root, "terraform/state/sandbox/account.json");
  const sandbox = await openSandbox({ file, region: REGION });
  const access = awsAccess({ region: REGION, endpoint: sandbox.endpoint });
  try {
    return await body(access, sandbox);
  } finally {
    access.close();
    await sandbox.close();
  }
}

/** The exit code of a module's `plan -detailed-exitcode`: 0 where the account is as the settings say. */
export async function planExit(clone: TerraformClone, module: string, name: string): Promise<number | null> {
  const words = ["plan", "-detailed-exitcode", "-input=false", "-no-color"];
  return (await clone.terraform(module, name, ...words)).exit;
}

/** Names of all files below a folder of the clone, but those that a provider brings along. */
export function filesBelow(clone: TerraformClone, folder: string): string[] {
  if (!existsSync(clone.path(folder))) {
    return [];
  }
  return readdirSync(clone.path(folder), { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name}`)
    .filter(
      (name) =>
        !name.includes("/plugins/") &&
        !name.includes("/.terraform/providers/") &&
        statSync(clone.path(name)).isFile(),
    );
}

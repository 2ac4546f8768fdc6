import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "../file/index.ts";
import { backendConfiguration, type Backend } from "./backend.ts";
import { runTerraform, type Terraform } from "./child.ts";
import { moduleCopy, workFolder, type ModuleInstance } from "./module-instance.ts";
import { copySources } from "./module-sources.ts";

const BACKEND = "dospesos_backend.tf.json";
const VARIABLES = "dospesos.auto.tfvars.json";
const OVERRIDE = "dospesos_override.tf.json";
const LOCK = ".terraform.lock.hcl";

/** The sandbox's account (lib/sandbox/account.ts), which takes any credentials: real ones have no business there. */
const SANDBOX_ACCOUNT = "000000000000";
const SANDBOX_PROVIDER = JSON.stringify({
  provider: { aws: { access_key: "SANDBOX", secret_key: "SANDBOX" } },
});

/** One at a time in a process: the plugin cache is not safe for two (hashicorp/terraform#31964). */
let last: Promise<void> = Promise.resolve();

/**
 * Makes the module's work folder ready: a private copy of the module, its variables, its backend; and runs
 * `terraform init` there, unless nothing that it depends on has changed since it last ran. So the folder
 * serves a person as well: `terraform -chdir=<folder> plan` works.
 */
export async function initialise(
  terraform: Terraform,
  instance: ModuleInstance,
  backend: Backend,
  variables: string,
): Promise<void> {
  const copy = moduleCopy(instance);
  mkdirSync(copy, { recursive: true, mode: 0o700 });
  const requirements = copySources(instance);
  put(join(copy, VARIABLES), variables);
  const backendText = backendConfiguration(backend, instance);
  put(join(copy, BACKEND), backendText);
  if (instance.account === SANDBOX_ACCOUNT) {
    put(join(copy, OVERRIDE), SANDBOX_PROVIDER);
  }
  const own = readIfThere(join(instance.root, "terraform", instance.module, LOCK));
  const shared = join(
    instance.root,
    ".dospesos",
    "terraform",
    `${digestOf([terraform.name, requirements]).slice(0, 16)}.lock.hcl`,
  );
  const digest = digestOf([terraform.program, terraform.version, requirements, backendText, own]);
  const stamp = join(workFolder(instance), "init.json");
  if (readIfThere(stamp) === digest && providersThere(copy)) {
    return;
  }
  const turn = last.then(async () => {
    rmSync(stamp, { force: true });
    // With one lock file for all that ask for the same, each init takes the same provider, out of the cache.
    const lock = own ?? readIfThere(shared);
    if (lock !== undefined) {
      put(join(copy, LOCK), lock);
    }
    await runTerraform(terraform, instance, {
      command: "init",
      args: ["-input=false", "-no-color", "-reconfigure"],
    });
    put(stamp, digest);
    put(shared, readIfThere(join(copy, LOCK)) ?? "");
  });
  last = turn.catch(() => {});
  await turn;
}

/** Where providers are kept if the person has named no place. */
export function pluginCache(root: string): string {
  return join(root, ".dospesos", "terraform", "plugins");
}

/** The data folder has links into a cache, which may be gone. */
function providersThere(copy: string): boolean {
  const folder = join(copy, ".terraform", "providers");
  if (!existsSync(folder)) {
    return false;
  }
  const links = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isSymbolicLink(),
  );
  return links.every((entry) => existsSync(join(entry.parentPath, entry.name)));
}

function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

function put(path: string, text: string): void {
  if (readIfThere(path) === text) {
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  replaceFile(path, text, { mode: 0o600 });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

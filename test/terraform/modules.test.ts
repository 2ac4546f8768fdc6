import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type {
  CoreOutputs,
  CoreVars,
  InstanceOutputs,
  InstanceVars,
  ThingOutputs,
  ThingVars,
} from "../../lib/modules/contract.ts";
import { corePolicy, devicePolicy, thingPolicy, tokenExchangePolicy } from "../../rules/policies.ts";
import { tempFolder } from "../support/temp.ts";
import { terraformEnvironment, testWithProvider } from "../support/terraform.ts";
import { testWith } from "../support/tools.ts";

const MODULES = fileURLToPath(new URL("../../terraform/", import.meta.url));
const LAYERS = ["instance", "core", "thing"] as const;
type Layer = (typeof LAYERS)[number];

const SCOPE = { region: "eu-west-1", account: "123456789012" };
const CSR = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB+/=\n-----END CERTIFICATE REQUEST-----\n";
const COMMON = { ...SCOPE, instance: "lab", revision: "r1" };

/**
 * The variables of each module as the generated *.tfvars.json files give them; the compiler holds them to the
 * sandbox's.
 */
const VARIABLES: Readonly<{ instance: InstanceVars; core: CoreVars; thing: ThingVars }> = {
  instance: {
    ...COMMON,
    token_exchange_role: "lab-token-exchange",
    token_exchange_policy: JSON.stringify(tokenExchangePolicy(SCOPE)),
    token_exchange_alias: "lab-token-exchange",
    core_policy: "lab-core",
    core_policy_document: JSON.stringify(corePolicy({ ...SCOPE, alias: "lab-token-exchange" })),
  },
  core: {
    ...COMMON,
    name: "core-1",
    group: "my-group",
    csr: CSR,
    next_csr: "",
    core_policy: "lab-core",
    device_policy: "lab-core-core-1",
    device_policy_document: JSON.stringify(devicePolicy({ ...SCOPE, name: "core-1" })),
  },
  thing: {
    ...COMMON,
    name: "thing-1",
    csr: CSR,
    next_csr: "",
    policy: "lab-thing-thing-1",
    policy_document: JSON.stringify(thingPolicy({ ...SCOPE, name: "thing-1" })),
  },
};

const OF_A_THING: Readonly<Record<keyof ThingOutputs, true>> = {
  thing_name: true,
  thing_arn: true,
  certificate_arn: true,
  certificate_id: true,
  certificate_pem: true,
  revision: true,
};

/** The names of each module's outputs; the compiler holds them to the sandbox's. */
const OUTPUTS: Readonly<{
  instance: Record<keyof InstanceOutputs, true>;
  core: Record<keyof CoreOutputs, true>;
  thing: Record<keyof ThingOutputs, true>;
}> = {
  instance: {
    region: true,
    account: true,
    token_exchange_role_arn: true,
    token_exchange_alias: true,
    token_exchange_alias_arn: true,
    core_policy: true,
    data_endpoint: true,
    credentials_endpoint: true,
    revision: true,
  },
  core: OF_A_THING,
  thing: OF_A_THING,
};

/** What terraform prints on stdout; fails with all that it printed where it fails. */
async function terraform(
  cwd: string,
  env: NodeJS.ProcessEnv,
  args: readonly string[],
  input = "",
): Promise<string> {
  const run = await execa("terraform", args, { cwd, env, extendEnv: false, all: true, reject: false, input });
  assert.is(run.exitCode, 0, `terraform ${args.join(" ")} in ${cwd}:\n${run.all}`);
  return run.stdout;
}

/** The blocks of one kind in a module's file, by name. */
function blocks(layer: Layer, file: string, kind: string): Map<string, string> {
  const text = readFileSync(join(MODULES, layer, file), "utf8");
  const found = text.matchAll(new RegExp(`^${kind} "(\\w+)" \\{\\n([\\s\\S]*?)\\n\\}$`, "gm"));
  return new Map([...found].map(([, name, body]) => [name!, body!]));
}

test("the modules have the variables and outputs that the sandbox has", () => {
  for (const layer of LAYERS) {
    assert.equal(
      [...blocks(layer, "variables.tf", "variable").keys()].sort(),
      Object.keys(VARIABLES[layer]).sort(),
    );
    assert.equal(
      [...blocks(layer, "outputs.tf", "output").keys()].sort(),
      Object.keys(OUTPUTS[layer]).sort(),
    );
  }
});

test("every variable and output of a module says what it is for, and no default hides a missing value", () => {
  for (const layer of LAYERS) {
    const variables = blocks(layer, "variables.tf", "variable");
    const outputs = blocks(layer, "outputs.tf", "output");
    for (const [name, body] of variables) {
      assert.match(body, /^ {2}type += string$/m, `${layer}: ${name}`);
      assert.not.match(body, /^ {2}default /m, `${layer}: ${name}`);
    }
    for (const [name, body] of [...variables, ...outputs]) {
      assert.match(body, /^ {2}description = ".+"$/m, `${layer}: ${name}`);
    }
  }
});

testWith(test, ["terraform"], "the modules are written as terraform fmt writes them", async () => {
  await terraform(MODULES, terraformEnvironment(), ["fmt", "-check", "-recursive", "-diff"]);
});

testWith(
  test,
  ["terraform"],
  "a tfvars.json file reaches the module as it is, policy variables included",
  async () => {
    for (const layer of LAYERS) {
      const folder = tempFolder(`variables-${layer}`);
      cpSync(join(MODULES, layer, "variables.tf"), join(folder, "variables.tf"));
      writeFileSync(join(folder, "test.tfvars.json"), JSON.stringify(VARIABLES[layer]));
      const all = Object.keys(VARIABLES[layer])
        .map((name) => `${name} = var.${name}`)
        .join(", ");
      const expression = `base64encode(jsonencode({${all}}))\n`;
      const printed = await terraform(
        folder,
        terraformEnvironment(),
        ["console", "-var-file=test.tfvars.json"],
        expression,
      );
      assert.equal(
        JSON.parse(Buffer.from(JSON.parse(printed) as string, "base64").toString()),
        VARIABLES[layer],
      );
    }
  },
);

testWithProvider(
  test,
  "each module is valid and passes its own tests with the real provider's schema",
  async (mirror) => {
    await Promise.all(
      LAYERS.map(async (layer) => {
        // A copy, because init writes a lock file beside the module that holds for this machine's platform
        // only.
        const folder = join(tempFolder(`module-${layer}`), layer);
        cpSync(join(MODULES, layer), folder, {
          recursive: true,
          filter: (path) => !basename(path).startsWith(".terraform"),
        });
        const env = terraformEnvironment(mirror);
        await terraform(folder, env, ["init", "-backend=false", "-no-color"]);
        await terraform(folder, env, ["test", "-no-color"]);
      }),
    );
  },
);

test.run();

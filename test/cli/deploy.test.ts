// `dospesos deploy` in the sandbox: without a sandbox that runs, its devices run for as long as the command.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { regionIn } from "../support/account.ts";
import { freshClone, ran, type Clone } from "../support/clone.ts";

const test = suite("deploy");

let clone: Clone;
test.before(() => {
  clone = freshClone();
});
const marker = (): { outputs: { id: string } } =>
  JSON.parse(readFileSync(join(clone.root, "terraform/state/effects/deployment/my-group.json"), "utf8")) as {
    outputs: { id: string };
  };

test("it deploys what the settings say, and waits until the core has said so", () => {
  assert.is(clone.dospesos("build", "edge-installer").exit, 0);
  const { exit, stderr } = clone.dospesos("deploy");
  assert.is(exit, 0, stderr);
  assert.match(
    stderr,
    /SANDBOX[^]*applied {2}deployment my-group[^]*deployed core-1 {2}deployment [0-9a-f-]{36}: SUCCEEDED/,
  );
});

test("the same content is the same deployment, also where nobody remembers having made it", () => {
  const { id } = marker().outputs;
  assert.equal(ran(clone.dospesos("deploy", "--json")), []);
  rmSync(join(clone.root, "terraform/state/effects/deployment/my-group.json"));
  assert.is(clone.dospesos("deploy").exit, 0);
  assert.is(marker().outputs.id, id);
});

test("a new thing is let in by a new deployment, and only things of the group's cores are", () => {
  const { id } = marker().outputs;
  writeFileSync(
    join(clone.root, "settings.ini"),
    `${readFileSync(join(clone.root, "settings.ini"), "utf8")}\n[thing thing-2]\ncore = core-1\n`,
  );
  assert.is(clone.dospesos("deploy").exit, 0);
  assert.is.not(marker().outputs.id, id);
  assert.match(
    readFileSync(join(clone.root, "edge/out/deployments/my-group.json"), "utf8"),
    '"selectionRule": "thingName: thing-1 OR thingName: thing-2"',
  );
});

test("a component of the project's own is registered once and deployed, with its artifacts", () => {
  const folder = join(clone.root, "edge/components/com.example.Hello");
  mkdirSync(join(folder, "artifacts"), { recursive: true });
  const recipe = {
    RecipeFormatVersion: "2020-01-25",
    ComponentName: "com.example.Hello",
    ComponentVersion: "1.0",
    Manifests: [{ Lifecycle: { Run: "echo hello" } }],
  };
  writeFileSync(join(folder, "recipe.json"), JSON.stringify(recipe));
  const first = clone.dospesos("deploy");
  assert.is(first.exit, 0, first.stderr);
  assert.match(first.stderr, /applied {2}component com\.example\.Hello/);
  assert.match(
    readFileSync(join(clone.root, "edge/out/deployments/my-group.json"), "utf8"),
    /"com\.example\.Hello": \{\s*"componentVersion": "1\.0\.\d+"/,
  );
  writeFileSync(join(folder, "artifacts/a.sh"), "echo a");
  const second = clone.dospesos("deploy");
  assert.is(second.exit, 0, second.stderr);
  assert.match(second.stderr, /deployed core-1 {2}deployment [0-9a-f-]{36}: SUCCEEDED/);
  const missing = {
    ...recipe,
    ComponentDependencies: { "com.example.Nobody": { VersionRequirement: "^1.0.0" } },
  };
  writeFileSync(join(folder, "recipe.json"), JSON.stringify(missing));
  const failed = clone.dospesos("deploy");
  assert.is(failed.exit, 1, failed.stderr);
  assert.match(failed.stderr, /no usable version of com\.example\.Nobody meets \^1\.0\.0/);
  rmSync(join(clone.root, "edge/components"), { recursive: true });
  assert.is(clone.dospesos("deploy").exit, 0);
});

test("the example component, which logs what devices publish, is deployed with what it depends on", async () => {
  const components = join(clone.root, "edge/components");
  mkdirSync(components);
  cpSync(
    join(clone.root, "examples/components/com.example.MqttDump"),
    join(components, "com.example.MqttDump"),
    {
      recursive: true,
    },
  );
  const { exit, stderr } = clone.dospesos("deploy");
  assert.is(exit, 0, stderr);
  assert.match(stderr, /applied {2}component com\.example\.MqttDump/);
  const region = regionIn(join(clone.root, "terraform/state/sandbox/account.json"));
  const installed = region.coreDevices[0]!.components;
  assert.is(installed.find(({ name }) => name === "com.example.MqttDump")?.isRoot, true);
  assert.is(installed.find(({ name }) => name === "aws.greengrass.clientdevices.mqtt.Bridge")?.isRoot, false);
  rmSync(components, { recursive: true });
  assert.is(clone.dospesos("deploy").exit, 0);
});

test("a core that went to another group gets that group's deployment: one job follows the other (A11)", () => {
  const settings = join(clone.root, "settings.ini");
  writeFileSync(settings, `${readFileSync(settings, "utf8")}\n[core core-2]\ngroup = my-group\n`);
  assert.is(clone.dospesos("deploy").exit, 0);
  writeFileSync(settings, readFileSync(settings, "utf8").replace("group = my-group", "group = second"));
  assert.is(clone.dospesos("build").exit, 0);
  const { exit, stderr } = clone.dospesos("deploy");
  assert.is(exit, 0, stderr);
  assert.match(stderr, /deployed core-1 {2}deployment [0-9a-f-]{36}: SUCCEEDED/);
  assert.match(stderr, /deployed core-2 {2}deployment [0-9a-f-]{36}: SUCCEEDED/);
});

test("destroy ends deployments and components as well", () => {
  const { exit, stderr } = clone.dospesos("destroy", "--yes");
  assert.is(exit, 0, stderr);
  assert.match(stderr, /destroyed deployment my-group/);
  assert.match(stderr, /destroyed component com\.example\.Hello/);
  const { deployments, components, coreDevices, things } = regionIn(
    join(clone.root, "terraform/state/sandbox/account.json"),
  );
  assert.equal([deployments, components, coreDevices, things], [[], [], [], []]);
});

test.run();

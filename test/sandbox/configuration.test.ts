// What a deployment makes of what runs: as the nucleus does, not as if each deployment were the first one.
import type { DataPlaneClient } from "../../lib/sandbox/device/data-plane-client.ts";
import { resolveComponents } from "../../lib/sandbox/device/resolution.ts";
import { publicRecipe, publicVersions } from "../../lib/sandbox/greengrass/public-components.ts";
import { meets, recipeIn } from "../../lib/sandbox/greengrass/recipes.ts";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  AUTH,
  BROKER,
  DeploymentFailed,
  messageIn,
  runningAfter,
} from "../../lib/sandbox/device/components.ts";
import { updatedConfiguration } from "../../lib/sandbox/device/configuration.ts";
import { deviceGroups } from "../../lib/sandbox/device/device-groups.ts";
import { dospesos } from "../support/bin.ts";
import { shippedProject, textOf } from "../support/folder.ts";

test("what is merged goes over what runs, object by object; what is reset goes first", () => {
  const running = { a: { x: 1, y: 2 }, list: [1, 2], "b/c": 1 };
  assert.equal(updatedConfiguration(running, { merge: { a: { y: 3 }, list: [3] } }), {
    a: { x: 1, y: 3 },
    list: [3],
    "b/c": 1,
  });
  assert.equal(updatedConfiguration(running, { reset: ["/a/x", "/b~1c", "/none/deeper"] }), {
    a: { y: 2 },
    list: [1, 2],
  });
  assert.equal(updatedConfiguration(running, { reset: ["/a"], merge: { a: { z: 1 } } }), {
    a: { z: 1 },
    list: [1, 2],
    "b/c": 1,
  });
  assert.equal(updatedConfiguration(running, { reset: [""], merge: { a: 1 } }), { a: 1 });
});

test("a thing that left settings.ini may do nothing on the core after the next deployment (D4)", () => {
  const root = shippedProject();
  assert.is(dospesos(root, "build", "edge/out/deployments/my-group.json").exit, 0);
  const { components } = JSON.parse(textOf(root, "edge/out/deployments/my-group.json")) as {
    components: Record<string, { componentVersion: string; configurationUpdate: { merge: object } }>;
  };
  const update = components[AUTH]!.configurationUpdate;
  const groups = (selectionRule: string): object => ({
    ...update,
    merge: {
      deviceGroups: {
        ...(update.merge as { deviceGroups: object }).deviceGroups,
        definitions: {
          [selectionRule]: { selectionRule: `thingName: ${selectionRule}`, policyName: "own-topics" },
        },
      },
    },
  });
  const may = (running: object, thing: string): boolean =>
    deviceGroups((running as Record<string, { configuration: unknown }>)[AUTH]!.configuration)(
      thing,
      "mqtt:publish",
      `mqtt:topic:clients/${thing}/hello`,
    );
  const deployed = (before: object, device: string) =>
    runningAfter(
      before as never,
      { [AUTH]: { version: "2.5.2", configurationUpdate: groups(device) } },
      new Map([[AUTH, { recipe: { ComponentVersion: "2.5.2" }, isRoot: true }]]),
    );
  const first = deployed({}, "old-thing");
  assert.ok(may(first, "old-thing"));
  const second = deployed(first, "new-thing");
  assert.ok(may(second, "new-thing"));
  assert.not(may(second, "old-thing"));
});

test("versions that do not go together fail a deployment as the nucleus fails it (D1)", async () => {
  const client: DataPlaneClient = {
    resolve: async (name, requirements) =>
      publicVersions(name)
        .filter((version) => Object.values(requirements).every((range) => meets(version, range)))
        .map((version) => ({ arn: name, recipe: recipeIn(publicRecipe(name, version)) }))[0] ??
      "no usable version",
    artifactDigest: async () => "",
    updateConnectivity: async () => {},
  };
  const versions = (broker: string, auth: string) => ({
    [BROKER]: { version: broker },
    [AUTH]: { version: auth },
  });
  await resolveComponents(client, versions("2.3.7", "2.5.2"));
  try {
    await resolveComponents(client, versions("2.3.6", "2.5.2"));
    assert.unreachable();
  } catch (error) {
    assert.instance(error, DeploymentFailed);
    assert.ok((error as DeploymentFailed).codes.includes("COMPONENT_VERSION_REQUIREMENTS_NOT_MET"));
    assert.match((error as Error).message, "aws.greengrass.clientdevices.mqtt.Moquette asks >=2.2.0 <2.5.0");
  }
});

test("a message on a jobs topic that holds no job is left alone, whatever it is (B6)", () => {
  for (const text of ["", "no JSON", "null", "1", "[", '"{}"']) {
    assert.is(messageIn(text), undefined, text);
  }
  assert.equal(messageIn('{"timestamp":1}'), { timestamp: 1 });
});

test.run();

// What a deployment makes of what runs: as the nucleus does, not as if each deployment were the first one.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  AUTH,
  BROKER,
  checkDependencies,
  DeploymentFailed,
  jobIn,
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
  const first = runningAfter({}, { [AUTH]: { version: "2.5.2", configurationUpdate: groups("old-thing") } });
  assert.ok(may(first, "old-thing"));
  const second = runningAfter(first, {
    [AUTH]: { version: "2.5.2", configurationUpdate: groups("new-thing") },
  });
  assert.ok(may(second, "new-thing"));
  assert.not(may(second, "old-thing"));
});

test("versions that do not go together fail a deployment as the nucleus fails it (D1)", () => {
  const versions = (broker: string, auth: string) => ({
    [BROKER]: { version: broker },
    [AUTH]: { version: auth },
  });
  checkDependencies(versions("2.3.7", "2.5.2"));
  checkDependencies(versions("2.3.6", "2.4.5"));
  assert.throws(
    () => checkDependencies(versions("2.3.6", "2.5.2")),
    (error: unknown) =>
      error instanceof DeploymentFailed &&
      error.code === "COMPONENT_VERSION_REQUIREMENTS_NOT_MET" &&
      error.message.includes("depends on aws.greengrass.clientdevices.Auth before 2.5.0"),
  );
});

test("a message on a jobs topic that holds no job is left alone, whatever it is (B6)", () => {
  for (const text of ["", "no JSON", "null", "1", "[", '"{}"']) {
    assert.is(jobIn(text), undefined, text);
  }
  assert.equal(jobIn('{"timestamp":1}'), { timestamp: 1 });
});

test.run();

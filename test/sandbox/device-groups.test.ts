import { test } from "uvu";
import * as assert from "uvu/assert";
import { deviceGroups } from "../../lib/sandbox/device/device-groups.ts";

const own = {
  pub: {
    operations: ["mqtt:publish"],
    resources: ["mqtt:topic:clients/${iot:Connection.Thing.ThingName}/*"],
  },
};
const groups = (selectionRule: string, policyName = "own") => ({
  deviceGroups: {
    formatVersion: "2021-03-05",
    definitions: { g: { selectionRule, policyName } },
    policies: { own },
  },
});

test("a device of a group may do what the group's policy says, on its own name alone", () => {
  const may = deviceGroups(groups("thingName: thing-1 OR thingName: pump-*"));
  assert.ok(may("thing-1", "mqtt:publish", "mqtt:topic:clients/thing-1/a/b"));
  assert.ok(may("pump-7", "mqtt:publish", "mqtt:topic:clients/pump-7/a"));
  assert.not(may("thing-1", "mqtt:publish", "mqtt:topic:clients/thing-10/a"));
  assert.not(may("thing-1", "mqtt:subscribe", "mqtt:topic:clients/thing-1/a"));
  assert.not(may("thing-10", "mqtt:publish", "mqtt:topic:clients/thing-10/a"));
});

test("without a configuration nobody may do anything", () =>
  assert.not(deviceGroups(undefined)("a", "mqtt:connect", "mqtt:clientId:a")));

test("a configuration that the component would not take is refused with what is wrong", () => {
  assert.throws(() => deviceGroups(groups("name = x")), /selection rule has "name = x"/);
  assert.throws(() => deviceGroups(groups("thingName: a", "gone")), /names the policy gone/);
  assert.throws(
    () => deviceGroups({ deviceGroups: { formatVersion: "2020", definitions: {}, policies: {} } }),
    /formatVersion/,
  );
});

test.run();

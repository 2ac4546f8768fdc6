import { test } from "uvu";
import * as assert from "uvu/assert";
import { devicePolicyName, instanceNames, thingPolicyName } from "../../rules/names.ts";

const LONG = "n".repeat(64);
/** What AWS takes as a name of a role, a role alias and an IoT policy alike. */
const TAKEN_BY_AWS = /^[\w=,@-]+$/;

test("an ordinary instance gets names that say what they are for", () => {
  assert.equal(instanceNames("dospesos"), {
    tokenExchangeRole: "dospesos-token-exchange",
    tokenExchangeAlias: "dospesos-token-exchange",
    corePolicy: "dospesos-core",
    serviceRole: "dospesos-greengrass",
  });
  assert.is(devicePolicyName("dospesos", "core-1"), "dospesos-core-core-1");
  assert.is(thingPolicyName("dospesos", "thing-1"), "dospesos-thing-thing-1");
});

test("every derived name fits AWS's limits for each length of instance and device name", () => {
  for (let length = 1; length <= 64; length++) {
    const instance = "i".repeat(length);
    const { tokenExchangeRole, tokenExchangeAlias, corePolicy, serviceRole } = instanceNames(instance);
    for (const role of [tokenExchangeRole, serviceRole]) {
      assert.ok(role.length <= 64, role);
    }
    const iot = [
      tokenExchangeAlias,
      corePolicy,
      devicePolicyName(instance, LONG),
      thingPolicyName(instance, LONG),
    ];
    for (const name of iot) {
      assert.ok(name.length <= 128, name);
    }
    for (const name of [tokenExchangeRole, serviceRole, ...iot]) {
      assert.match(name, TAKEN_BY_AWS);
    }
  }
});

test("a name that is cut still begins with the instance and ends with what it is for", () => {
  assert.match(
    instanceNames(`factory-${"x".repeat(56)}`).tokenExchangeRole,
    /^factory-x+-[0-9a-f]{10}-token-exchange$/,
  );
  assert.match(devicePolicyName(`factory-${"x".repeat(56)}`, LONG), /^factory-x+-[0-9a-f]{10}-core-n{64}$/);
});

test("two long instances that differ only in their last character share no name", () => {
  const [one, two] = ["1", "2"].map((last) => "x".repeat(63) + last) as [string, string];
  assert.is.not(instanceNames(one).tokenExchangeRole, instanceNames(two).tokenExchangeRole);
  assert.is.not(instanceNames(one).serviceRole, instanceNames(two).serviceRole);
  assert.is.not(devicePolicyName(one, LONG), devicePolicyName(two, LONG));
});

test("no two instances of an account share a policy, however their names are made up", () => {
  const words = [
    "a",
    "core",
    "thing",
    "core-a",
    "thing-core",
    "a-core",
    "a-thing-core",
    "core-core",
    "a-core-core-a",
  ];
  const names = words.flatMap((instance) => [
    instanceNames(instance).corePolicy,
    ...words.flatMap((device) => [devicePolicyName(instance, device), thingPolicyName(instance, device)]),
  ]);
  assert.is(new Set(names).size, names.length);
});

test("the same settings give the same names on every machine", () => {
  assert.is(instanceNames("x".repeat(64)).serviceRole, `${"x".repeat(42)}-547c0b38be-greengrass`);
});

test.run();

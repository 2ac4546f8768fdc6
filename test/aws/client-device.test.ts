import { readFileSync } from "node:fs";
import { ListClientDevicesAssociatedWithCoreDeviceCommand } from "@aws-sdk/client-greengrassv2";
import { CreateThingCommand } from "@aws-sdk/client-iot";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { associateClientDevice } from "../../lib/aws/client-device.ts";
import { ProblemError } from "../../lib/problem/index.ts";
import { failure, withSandbox, type Rig } from "../sandbox/rig.ts";

async function withThings({ access }: Rig): Promise<void> {
  for (const thingName of ["core-1", "core-2", "thing-1"]) {
    await (await access.iot()).send(new CreateThingCommand({ thingName }));
  }
}

async function devicesOf({ access }: Rig, coreDeviceThingName: string): Promise<(string | undefined)[]> {
  const client = await access.greengrass();
  const { associatedClientDevices = [] } = await client.send(
    new ListClientDevicesAssociatedWithCoreDeviceCommand({ coreDeviceThingName }),
  );
  return associatedClientDevices.map(({ thingName }) => thingName);
}

test("a thing is associated once, however often it is asked for", () =>
  withSandbox(async (rig) => {
    await withThings(rig);
    await associateClientDevice(rig.access, { core: "core-1", thing: "thing-1" });
    const bytes = readFileSync(rig.file, "utf8");
    await associateClientDevice(rig.access, { core: "core-1", thing: "thing-1", previousCore: "core-1" });
    assert.equal(await devicesOf(rig, "core-1"), ["thing-1"]);
    assert.is(readFileSync(rig.file, "utf8"), bytes);
  }));

test("a thing moves from the core that it had, and only from that one", () =>
  withSandbox(async (rig) => {
    await withThings(rig);
    await associateClientDevice(rig.access, { core: "core-1", thing: "thing-1" });
    await associateClientDevice(rig.access, { core: "core-2", thing: "thing-1" });
    assert.equal(
      [await devicesOf(rig, "core-1"), await devicesOf(rig, "core-2")],
      [["thing-1"], ["thing-1"]],
    );
    await associateClientDevice(rig.access, { core: "core-2", thing: "thing-1", previousCore: "core-1" });
    await associateClientDevice(rig.access, { core: "core-2", thing: "thing-1", previousCore: "core-gone" });
    assert.equal([await devicesOf(rig, "core-1"), await devicesOf(rig, "core-2")], [[], ["thing-1"]]);
  }));

test("an error for the thing inside a successful answer is an error", () =>
  withSandbox(async (rig) => {
    await withThings(rig);
    const error = await failure(associateClientDevice(rig.access, { core: "core-1", thing: "ghost" }));
    assert.instance(error, ProblemError);
    assert.match(
      error.message,
      /BatchAssociateClientDeviceWithCoreDevice of "ghost with core-1" failed: ResourceNotFoundException/,
    );
  }));

test.run();

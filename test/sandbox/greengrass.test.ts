import * as gg from "@aws-sdk/client-greengrassv2";
import { CreateRoleCommand } from "@aws-sdk/client-iam";
import { CreateThingCommand, DeleteThingCommand } from "@aws-sdk/client-iot";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { failure, policy, refused, withSandbox, type Rig } from "./rig.ts";

async function makeThings({ access }: Rig, ...names: string[]): Promise<void> {
  for (const thingName of names) {
    await (await access.iot()).send(new CreateThingCommand({ thingName }));
  }
}

test("an account has one service role in a region, or none", () =>
  withSandbox(async ({ access }) => {
    const client = await access.greengrass();
    const none = await failure(client.send(new gg.GetServiceRoleForAccountCommand({})));
    assert.is((none as gg.GreengrassV2ServiceException).$metadata.httpStatusCode, 404);
    const missing = client.send(
      new gg.AssociateServiceRoleToAccountCommand({ roleArn: "arn:aws:iam::000000000000:role/none" }),
    );
    await refused(missing, gg.ValidationException);
    const { Role } = await (
      await access.iam()
    ).send(new CreateRoleCommand({ RoleName: "r", AssumeRolePolicyDocument: policy("sts:AssumeRole") }));
    const { associatedAt } = await client.send(
      new gg.AssociateServiceRoleToAccountCommand({ roleArn: Role?.Arn }),
    );
    assert.ok(Math.abs(Date.parse(associatedAt ?? "") - Date.now()) < 60_000);
    assert.is((await client.send(new gg.GetServiceRoleForAccountCommand({}))).roleArn, Role?.Arn);
    await client.send(new gg.DisassociateServiceRoleFromAccountCommand({}));
    assert.is(
      (await failure(client.send(new gg.GetServiceRoleForAccountCommand({})))).name,
      "ResourceNotFoundException",
    );
  }));

test("client devices are associated in batches, and a bad entry is reported beside the good ones", () =>
  withSandbox(async (rig) => {
    await makeThings(rig, "core", "a", "b");
    const client = await rig.access.greengrass();
    const batch = (...names: string[]) => ({
      coreDeviceThingName: "core",
      entries: names.map((thingName) => ({ thingName })),
    });
    const { errorEntries } = await client.send(
      new gg.BatchAssociateClientDeviceWithCoreDeviceCommand(batch("a", "ghost", "b", "a")),
    );
    assert.equal(
      errorEntries?.map(({ thingName, code }) => [thingName, code]),
      [["ghost", "ResourceNotFoundException"]],
    );
    const names: (string | undefined)[] = [];
    const pages = gg.paginateListClientDevicesAssociatedWithCoreDevice(
      { client, pageSize: 1 },
      { coreDeviceThingName: "core" },
    );
    for await (const part of pages) {
      names.push(...(part.associatedClientDevices ?? []).map(({ thingName }) => thingName));
    }
    assert.equal(names, ["a", "b"]);
    const removed = await client.send(
      new gg.BatchDisassociateClientDeviceFromCoreDeviceCommand(batch("a", "a")),
    );
    assert.is(removed.errorEntries?.length, 1);
    await (await rig.access.iot()).send(new DeleteThingCommand({ thingName: "b" }));
    const left = await client.send(
      new gg.ListClientDevicesAssociatedWithCoreDeviceCommand({ coreDeviceThingName: "core" }),
    );
    assert.equal(left.associatedClientDevices, []);
  }));

test("a batch has 1 to 100 entries and a core that exists", () =>
  withSandbox(async (rig) => {
    await makeThings(rig, "core");
    const client = await rig.access.greengrass();
    const associate = (coreDeviceThingName: string, count: number) =>
      client.send(
        new gg.BatchAssociateClientDeviceWithCoreDeviceCommand({
          coreDeviceThingName,
          entries: Array.from({ length: count }, (_, i) => ({ thingName: `t${i}` })),
        }),
      );
    await refused(associate("core", 0), gg.ValidationException);
    await refused(associate("core", 101), gg.ValidationException);
    assert.is((await associate("core", 100)).errorEntries?.length, 100);
    await refused(associate("ghost", 1), gg.ResourceNotFoundException);
  }));

test("there is no core device, since no nucleus has connected", () =>
  withSandbox(async (rig) => {
    await makeThings(rig, "core");
    const client = await rig.access.greengrass();
    const coreDeviceThingName = "core";
    await refused(
      client.send(new gg.GetCoreDeviceCommand({ coreDeviceThingName })),
      gg.ResourceNotFoundException,
    );
    await refused(
      client.send(new gg.DeleteCoreDeviceCommand({ coreDeviceThingName })),
      gg.ResourceNotFoundException,
    );
    assert.equal(
      (await client.send(new gg.ListCoreDevicesCommand({ status: "HEALTHY", maxResults: 10 }))).coreDevices,
      [],
    );
  }));

test.run();

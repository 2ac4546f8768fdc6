// The sandbox's data plane as devices meet it: real TLS, real MQTT, the policies that the build deploys.
import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { request } from "node:https";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { CreatePolicyVersionCommand, CreateThingCommand, GetPolicyCommand } from "@aws-sdk/client-iot";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createCsr, createKey } from "../../lib/pki/keypair.ts";
import { createCa, issueCertificate, readCsr } from "../../lib/pki/ca.ts";
import { proofFor, type DataPlaneRecord } from "../../lib/sandbox/data-plane/record.ts";
import { runningDevices, type Devices } from "../support/devices.ts";

const test = suite("the sandbox's data plane");

let devices: Devices;
test.before(async () => {
  devices = await runningDevices();
});
test.after(() => devices.stop());

const read = (file: string): string => readFileSync(devices.path(file), "utf8");
const identity = (folder: string) => ({
  cert: read(`${folder}/device.pem.crt`),
  key: read(`${folder}/private.pem.key`),
  ca: read(`${folder}/SandboxCA.pem`),
});
const CORE = "edge/out/core-1";
const THING = "edge/out/things/thing-1";

function iotCore(clientId: string, options: Partial<IClientOptions> = identity(CORE)): Promise<MqttClient> {
  return connectAsync(
    `mqtts://127.0.0.1:${devices.ports.iot}`,
    { clientId, protocolVersion: 4, reconnectPeriod: 0, connectTimeout: 5000, ...options },
    false,
  );
}

/** The error that a connection or a request ends with. */
async function refusal(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "none",
    (error: unknown) => `${(error as NodeJS.ErrnoException).code ?? ""} ${(error as Error).message}`,
  );
}

function discover(
  path: string,
  options: object = identity(THING),
): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: "127.0.0.1", port: devices.ports.discovery, path, agent: false, ...options },
      (response) => {
        let body = "";
        response
          .on("data", (piece: Buffer) => (body += piece.toString()))
          .on("end", () => resolve({ status: response.statusCode, body }));
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

test("a certificate of another CA, and one of the right CA that the account does not know, get nowhere", async () => {
  const key = createKey();
  const csr = await readCsr(await createCsr(key, "core-1"));
  const foreign = { ...identity(CORE), key, cert: await issueCertificate(await createCa("foreign"), csr) };
  assert.is.not(await refusal(iotCore("core-1#2", foreign)), "none");
  assert.is.not(await refusal(discover("/greengrass/discover/thing/thing-1", foreign)), "none");
  const account = JSON.parse(read("terraform/state/sandbox/account.json")) as {
    ca: { key: string; certificate: string };
  };
  const unknown = { ...identity(CORE), key, cert: await issueCertificate(account.ca, csr) };
  const from = devices.sandbox.told.length;
  assert.is.not(await refusal(iotCore("core-1#2", unknown)), "none");
  await devices.tells(/core-1#2 \(\S+\) was refused: certificate [0-9a-f]{8}… is not registered/, from);
  assert.is.not(await refusal(discover("/greengrass/discover/thing/thing-1", unknown)), "none");
});

test("a core connects as itself and as its second client, and as nobody else", async () => {
  const second = await iotCore("core-1#2");
  await second.endAsync();
  for (const other of ["core-10", "thing-1"]) {
    const from = devices.sandbox.told.length;
    assert.is.not(await refusal(iotCore(other)), "none");
    await devices.tells(new RegExp(`${other} \\(\\S+\\) was refused: iot:Connect`), from);
  }
});

test("who does not begin with a sensible CONNECT is refused before anything is kept of it (B6)", async () => {
  const toIotCore = (): TLSSocket =>
    connectTls({
      host: "127.0.0.1",
      port: devices.ports.iot,
      ...identity(CORE),
      checkServerIdentity: () => undefined,
    });
  for (const [first, why] of [
    [Buffer.from("GET / HTTP/1.1\r\n\r\n"), /not MQTT's CONNECT/],
    [Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4]), /its CONNECT has 268435455 bytes/],
    [Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x7f]), /not MQTT's CONNECT/],
  ] as const) {
    const from = devices.sandbox.told.length;
    const socket = toIotCore();
    socket.on("error", () => {});
    socket.write(first);
    await once(socket, "close");
    await devices.tells(why, from);
  }
  // One that comes byte by byte is none the worse for it.
  const slow = toIotCore();
  const hello = Buffer.from([
    0x10,
    20,
    0,
    4,
    ...Buffer.from("MQTT"),
    4,
    2,
    0,
    60,
    0,
    8,
    ...Buffer.from("core-1#3"),
  ]);
  for (const byte of hello) {
    slow.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  const [answer] = (await once(slow, "data")) as [Buffer];
  assert.is(answer[0], 0x20, "CONNACK");
  slow.destroy();
});

test("a thing that only talks to its core may not connect to IoT Core", async () =>
  assert.is.not(await refusal(iotCore("thing-1", identity(THING))), "none"));

test("a subscription that the policy does not allow is answered with 0x80, and a publish ends the connection", async () => {
  const client = await iotCore("core-1#3");
  const refused = await client.subscribeAsync("$aws/things/core-2/jobs/notify-next").then(
    ([granted]) => granted?.qos,
    (error: unknown) => (error as Error).message,
  );
  assert.ok(refused === 128 || /Unspecified error|128|0x80/i.test(String(refused)), String(refused));
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  client.publish("$aws/things/core-2/shadow/update", "{}", { qos: 0 });
  await closed;
});

const note = (value: string): string => JSON.stringify({ state: { reported: { value } } });

test("what a policy does not let a device receive does not reach it", async () => {
  const iot = await devices.access.iot();
  const { policyDocument = "" } = await iot.send(
    new GetPolicyCommand({ policyName: "dospesos-core-core-1" }),
  );
  const blind = policyDocument.replaceAll('"iot:Receive"', '"iot:Nothing"');
  const client = await iotCore("core-1#4");
  await client.subscribeAsync("$aws/things/core-1/shadow/update");
  const seen: string[] = [];
  client.on("message", (_, payload) => seen.push(payload.toString()));
  const arrives = new Promise<void>((resolve) => client.once("message", () => resolve()));
  await client.publishAsync("$aws/things/core-1/shadow/update", note("before"), { qos: 1 });
  await arrives;
  await iot.send(
    new CreatePolicyVersionCommand({
      policyName: "dospesos-core-core-1",
      policyDocument: blind,
      setAsDefault: true,
    }),
  );
  const from = devices.sandbox.told.length;
  await client.publishAsync("$aws/things/core-1/shadow/update", note("after"), { qos: 1 });
  await devices.tells(/core-1#4 \(\S+\) may not: iot:Receive on/, from);
  await client.endAsync();
  assert.equal(seen, [note("before")]);
  await iot.send(
    new CreatePolicyVersionCommand({
      policyName: "dospesos-core-core-1",
      policyDocument,
      setAsDefault: true,
    }),
  );
});

test("discovery gives a thing its own core alone, and names what it does not know", async () => {
  const { status, body } = await discover("/greengrass/discover/thing/thing-1");
  assert.is(status, 200);
  const {
    GGGroups: [group],
  } = JSON.parse(body) as { GGGroups: { GGGroupId: string; CAs: string[]; Cores: { thingArn: string }[] }[] };
  assert.is(group?.GGGroupId, "greengrassV2-coreDevice-core-1");
  assert.match(group?.CAs[0] ?? "", /BEGIN CERTIFICATE/);
  assert.is((await discover("/greengrass/discover/thing/core-1")).status, 403);
  const unknown = await discover("/greengrass/configuration");
  assert.is(unknown.status, 501);
  assert.match(unknown.body, /GET \/greengrass\/configuration/);
});

test("where the sandbox is can be read by its owner alone, and it keeps no private key of a device", () => {
  assert.is(statSync(devices.path("terraform/state/sandbox/data-plane.json")).mode & 0o777, 0o600);
  assert.is(statSync(devices.path("terraform/state/sandbox/cores/core-1/core-ca.key")).mode & 0o777, 0o600);
  const secret = read(`${CORE}/private.pem.key`).split("\n")[1]!;
  assert.not(read("terraform/state/sandbox/account.json").includes(secret));
  assert.not(devices.sandbox.told.includes(secret));
});

test("commands of other processes talk to the sandbox that runs; a second one is refused", async () => {
  await (
    await devices.access.iot()
  ).send(
    new CreateThingCommand({
      thingName: "stranger",
      attributePayload: { attributes: { dospesos_instance: "dospesos" } },
    }),
  );
  const things = devices.clone.dospesos("inventory");
  assert.is(things.exit, 0, things.stderr);
  assert.match(things.stdout, /core {3}core-1 .*HEALTHY {2}connected {2}certificate ACTIVE/);
  assert.match(things.stdout, /thing {2}stranger .*NOT IN settings\.ini/);
  assert.match(things.stderr, /SANDBOX[^]*may cost money/);
  const second = devices.clone.dospesos("sandbox");
  assert.is(second.exit, 3);
  assert.match(second.stderr, /a sandbox runs here already/);
});

test("a sandbox that was killed is not believed to run, and an interrupted one ends in order", async () => {
  devices.sandbox.kill("SIGKILL");
  await devices.sandbox.end();
  assert.ok(existsSync(devices.path("terraform/state/sandbox/data-plane.json")));
  // Another program on its port, which knows all that an earlier one said there (B7).
  const record = JSON.parse(read("terraform/state/sandbox/data-plane.json")) as DataPlaneRecord;
  const paths: string[] = [];
  const impostor = createServer(({ url }, response) => {
    paths.push(url!);
    response.end(proofFor(`/-/dospesos/proof?of=${"0".repeat(32)}`, record.token));
  }).listen(Number(new URL(record.endpoint).port), "127.0.0.1");
  await once(impostor, "listening");
  const things = await devices.clone.start("inventory");
  impostor.close();
  assert.is(things.exit, 0, things.stderr);
  assert.match(things.stdout, /core-1/);
  assert.match(paths.join(" "), /^\/-\/dospesos\/proof\?of=[0-9a-f]{32}$/);
});

test("settings that name a real account have no sandbox to run", () => {
  const settings = read("settings.ini");
  writeFileSync(
    devices.path("settings.ini"),
    settings.replace("account = sandbox", "account = 123456789012"),
  );
  const { exit, stderr } = devices.clone.dospesos("sandbox");
  writeFileSync(devices.path("settings.ini"), settings);
  assert.is(exit, 2);
  assert.match(stderr, /the settings name the account 123456789012, not the sandbox/);
});

test.run();

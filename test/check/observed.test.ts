// What `dospesos check` says where the sandbox saw what is wrong: a client that plays the device of core-1.
import { once, type EventEmitter } from "node:events";
import { readFileSync, writeFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { connect, connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { generate } from "mqtt-packet";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createCa, issueCertificate, readCsr } from "../../lib/pki/ca.ts";
import { createCsr, createKey } from "../../lib/pki/keypair.ts";
import { runningDevices, type Devices } from "../support/devices.ts";

const test = suite("check, with what the sandbox saw");
const BUNDLE = "edge/out/core-1";

let devices: Devices;
test.before(async () => {
  devices = await runningDevices();
});
test.after(() => devices.stop());

const read = (name: string): string => readFileSync(devices.path(`${BUNDLE}/${name}`), "utf8");
const identity = (): IClientOptions => ({
  cert: read("device.pem.crt"),
  key: read("private.pem.key"),
  ca: read("SandboxCA.pem"),
});

function options(change: object = {}): IClientOptions {
  return {
    host: "127.0.0.1",
    protocol: "mqtts",
    port: devices.ports.iot,
    clientId: "core-1",
    reconnectPeriod: 0,
    protocolVersion: 5,
    checkServerIdentity: () => undefined,
    ...identity(),
    ...change,
  } as IClientOptions;
}

async function connected(given: IClientOptions): Promise<MqttClient> {
  return await connectAsync(`mqtts://127.0.0.1:${devices.ports.iot}`, given, false);
}

interface Seen {
  readonly broken: string | null;
  readonly cause: string;
  readonly fix: string;
}

function check(): Seen {
  const { stdout, stderr } = devices.clone.dospesos("check", "core-1", "--json");
  const line = stdout.split("\n").find((one) => one.includes('"type":"check"'));
  assert.ok(line !== undefined, stderr);
  const { broken, links } = JSON.parse(line) as {
    broken: string | null;
    links: { link: string; cause?: string; fix?: string }[];
  };
  const { cause = "", fix = "" } = links.find(({ link }) => link === broken) ?? {};
  return { broken, cause, fix };
}

function isBroken(link: string, cause: RegExp): void {
  const seen = check();
  assert.is(seen.broken, link, seen.cause);
  assert.match(seen.cause, cause);
  assert.ok(seen.fix !== "");
}

async function ended(client: MqttClient): Promise<void> {
  await once(client as unknown as EventEmitter, "close");
}

test("a whole chain says that its core is simulated", () => {
  const { stdout } = devices.clone.dospesos("check");
  assert.match(stdout, /ok +healthy and fresh .*nucleus 2\.16\.0, simulated/);
});

test("17 a device that does not trust the sandbox: a wrong root CA", () =>
  devices.withoutCore(async () => {
    const from = devices.sandbox.told.length;
    const { certificate } = await createCa("another");
    await connected(options({ ca: certificate, servername: "localhost" })).catch(() => {});
    await devices.tells(/does not trust (this sandbox's certificate|SandboxCA)/, from);
    isBroken("MQTT connected", /a client .* does not trust .*SandboxCA\.pem/);
  }));

test("18 a certificate of another CA", () =>
  devices.withoutCore(async () => {
    const key = createKey();
    const cert = await issueCertificate(
      await createCa("foreign"),
      await readCsr(await createCsr(key, "core-1")),
    );
    const from = devices.sandbox.told.length;
    await connected(options({ key, cert })).catch(() => {});
    await devices.tells(/core-1 \(\S+\) was refused: its certificate is not of this account's CA/, from);
    isBroken("MQTT connected", /core-1 .* its certificate is not of this account's CA/);
  }));

test("19 a device that speaks MQTT 3.1", () =>
  devices.withoutCore(async () => {
    const { cert, key, ca } = identity() as { cert: string; key: string; ca: string };
    const socket = connectTls({
      host: "127.0.0.1",
      port: devices.ports.iot,
      cert,
      key,
      ca,
      checkServerIdentity: () => undefined,
    });
    socket.on("error", () => {});
    const from = devices.sandbox.told.length;
    socket.write(
      generate({
        cmd: "connect",
        protocolId: "MQIsdp",
        protocolVersion: 3,
        clientId: "core-1",
        clean: true,
        keepalive: 60,
      }),
    );
    await devices.tells(/core-1 \(\S+\) was refused: it speaks MQTT 3\.1/, from);
    socket.destroy();
    isBroken("MQTT connected", /core-1 .* it speaks MQTT 3\.1, which is not spoken here/);
  }));

test("22 a component that does not work is named with its own error", () =>
  devices.withoutCore(async () => {
    const client = await connected(options());
    const report = {
      ggcVersion: "2.16.0",
      platform: "linux",
      architecture: "amd64",
      thing: "core-1",
      sequenceNumber: 1_000_000,
      timestamp: Date.now(),
      messageType: "PARTIAL",
      overallDeviceStatus: "UNHEALTHY",
      components: [
        {
          componentName: "com.example.Hello",
          version: "1.0.3",
          status: "BROKEN",
          isRoot: true,
          componentStatusDetails: {
            statusCodes: ["RUN_ERROR"],
            statusReason: "The run script exited with 7.",
          },
        },
      ],
    };
    await client.publishAsync("$aws/things/core-1/greengrassv2/health/json", JSON.stringify(report), {
      qos: 1,
    });
    isBroken("healthy and fresh", /com\.example\.Hello 1\.0\.3 is BROKEN \(The run script exited with 7\.\)/);
    await client.endAsync();
  }));

test("23 an artifact that is not the one that was registered", () => {
  const folder = devices.path("edge/components/com.example.Hello");
  mkdirSync(join(folder, "artifacts"), { recursive: true });
  const recipe = {
    RecipeFormatVersion: "2020-01-25",
    ComponentName: "com.example.Hello",
    ComponentVersion: "1.0",
    Manifests: [{ Lifecycle: { Run: "sh {artifacts:path}/a.sh" }, Artifacts: [{ Uri: "artifacts/a.sh" }] }],
  };
  writeFileSync(join(folder, "recipe.json"), JSON.stringify(recipe));
  writeFileSync(join(folder, "artifacts/a.sh"), "echo a\n");
  const registered = devices.clone.dospesos("build");
  assert.is(registered.exit, 0, registered.stderr);
  const objects = devices.path("terraform/state/sandbox/objects");
  for (const name of readdirSync(objects)) {
    writeFileSync(join(objects, name), "echo another\n");
  }
  const failed = devices.clone.dospesos("deploy");
  assert.is(failed.exit, 1, failed.stderr);
  isBroken(
    "deployment succeeded",
    /the artifact .*a\.sh of com\.example\.Hello .* is not the one that was registered .*ARTIFACT_CHECKSUM_MISMATCH/,
  );
  rmSync(devices.path("edge/components"), { recursive: true });
  const mended = devices.clone.dospesos("deploy");
  assert.is(mended.exit, 0, mended.stderr);
});

test("20 two clients with one id: the simulated core, and a device with the same bundle (H3)", async () => {
  const from = devices.sandbox.told.length;
  const rival = connect(options({ reconnectPeriod: 200 }));
  rival.on("error", () => {});
  await devices.tells(/takes over from[^]*takes over from[^]*takes over from/, from);
  isBroken(
    "MQTT connected",
    /core-1 \(127\.0\.0\.1:\d+\) takes over from 127\.0\.0\.1:\d+: a client id is one connection/,
  );
  const after = devices.sandbox.told.length;
  await rival.endAsync(true);
  await devices.tells(/core-1 is connected/, after);
});

test("21 a limit of AWS that a device exceeds", () =>
  devices.withoutCore(async () => {
    for (const _ of [1, 2]) {
      const client = await connected(options());
      client.on("error", () => {});
      const closed = ended(client);
      client.publish("$aws/things/core-1/shadow/update", Buffer.alloc(131_073));
      await closed;
    }
    isBroken("MQTT connected", /core-1 .* is cut off: a payload of 131073 bytes, where AWS takes 131072/);
  }));

test("24 a device in place of the simulated core, with no sandbox that runs", () => {
  const settings = readFileSync(devices.path("settings.ini"), "utf8");
  devices.sandbox.kill("SIGTERM");
  writeFileSync(
    devices.path("settings.ini"),
    settings.replace("[core core-1]", "[core core-1]\nsandbox = device"),
  );
  const { exit, stderr } = devices.clone.dospesos("check");
  assert.is(exit, 4);
  assert.match(stderr, /DP634: core-1 is a device of yours, and no sandbox runs for it to talk to/);
});

test.run();

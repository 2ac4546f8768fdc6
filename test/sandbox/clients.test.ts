// Clients that others wrote against IoT Core's endpoint, in MQTT 3.1.1 and in MQTT 5: mosquitto, paho, AWS's own SDK.
import { existsSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { tempFolder } from "../support/temp.ts";
import { testWhere, toolPath } from "../support/tools.ts";
import {
  allow,
  connectedAs,
  dataPlaneRig,
  identityWith,
  received,
  type DataPlaneRig,
  type Identity,
} from "./wire.ts";

const test = suite("other clients");

let rig: DataPlaneRig;
let identity: Identity;
const folder = tempFolder("clients");

test.before(async () => {
  rig = await dataPlaneRig();
  identity = await identityWith(rig, "clients", [allow("iot:*")]);
  for (const [name, text] of Object.entries({
    "ca.pem": rig.ca,
    "cert.pem": identity.cert,
    "key.pem": identity.key,
  })) {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  }
});
test.after(() => rig.close());

const TLS = ["--cafile", "ca.pem", "--cert", "cert.pem", "--key", "key.pem"];
const port = (): string => String(rig.plane.record.iot.port);
const versions = [
  ["3.1.1", "mqttv311", 4],
  ["5", "mqttv5", 5],
] as const;

for (const [version, mosquitto] of versions) {
  testWhere(
    test,
    toolPath("mosquitto_sub") === undefined ? "needs mosquitto_sub and mosquitto_pub" : undefined,
    `mosquitto, MQTT ${version}: what it publishes it receives`,
    async () => {
      const where = [
        "-h",
        "localhost",
        "-p",
        port(),
        "-V",
        mosquitto,
        ...TLS,
        "-t",
        `m/${version}`,
        "-q",
        "1",
      ];
      const subscriber = execa("mosquitto_sub", [...where, "-i", "sub", "-C", "1", "-W", "60"], {
        cwd: folder,
      });
      await rig.tells(/sub \(.*is connected with MQTT/);
      // It is told that it is subscribed by nobody else, so the message is kept for it.
      await execa("mosquitto_pub", [...where, "-i", "pub", "-r", "-m", "hello"], { cwd: folder });
      assert.is((await subscriber).stdout, "hello");
    },
  );
}

const python = "/usr/bin/python3";
const hasPaho =
  existsSync(python) &&
  (await execa(python, ["-c", "import paho.mqtt.client"], { reject: false })).exitCode === 0;
const PAHO = `
import sys
import paho.mqtt.client as mqtt
port, protocol = int(sys.argv[1]), int(sys.argv[2])
options = {"callback_api_version": mqtt.CallbackAPIVersion.VERSION1} if hasattr(mqtt, "CallbackAPIVersion") else {}
client = mqtt.Client(client_id="paho-%d" % protocol, protocol=protocol, **options)
client.tls_set("ca.pem", "cert.pem", "key.pem")
client.on_connect = lambda c, *_: c.subscribe("paho/%d" % protocol, 1)
client.on_subscribe = lambda c, *_: c.publish("paho/%d" % protocol, "hello", 1)
def received(c, _, message):
    print(message.payload.decode())
    c.disconnect()
client.on_message = received
client.connect("localhost", port, 60)
client.loop_forever()
`;

for (const [version, , protocol] of versions) {
  testWhere(
    test,
    hasPaho ? undefined : "needs paho for Debian's python3 (python3-paho-mqtt)",
    `paho, MQTT ${version}: what it publishes it receives`,
    async () => {
      const { stdout } = await execa(python, ["-c", PAHO, port(), String(protocol)], {
        cwd: folder,
        timeout: 60_000,
      });
      assert.is(stdout, "hello");
    },
  );
}

const crt = (() => {
  try {
    return dirname(createRequire(import.meta.url).resolve("aws-crt/package.json"));
  } catch {
    return "";
  }
})();
const script = join(dirname(fileURLToPath(import.meta.url)), "crt-client.ts");

for (const [version, , protocol] of versions) {
  testWhere(
    test,
    existsSync(join(crt, "dist", "bin"))
      ? undefined
      : "needs the npm package aws-iot-device-sdk-v2 with its binaries",
    `AWS's device SDK, MQTT ${version}: it hears mqtt.js, which speaks the other version, and is heard`,
    async () => {
      const other = await connectedAs(rig, identity, `other-${protocol}`, protocol === 5 ? 4 : 5);
      await other.subscribeAsync(`crt/${protocol}`, { qos: 1 });
      const heard = received(other);
      const sdk = execa(process.execPath, ["--import", "tsx", script, folder, port(), String(protocol)], {
        timeout: 60_000,
      });
      assert.equal((await heard).document, { from: "the SDK" });
      await other.publishAsync(`crt/back/${protocol}`, "hello back", { qos: 1, retain: true });
      assert.is((await sdk).stdout, "hello back");
      await other.endAsync();
    },
  );
}

test.run();

// Where real devices meet the sandbox: the port that MQTT and HTTPS share, and an address of a bench network.
import { connect as connectTls } from "node:tls";
import { once } from "node:events";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { connectAsync } from "mqtt";
import { generate, type IConnectPacket } from "mqtt-packet";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { start } from "../support/bin.ts";
import { edit, shippedProject } from "../support/folder.ts";
import { testWhere } from "../support/tools.ts";
import { allow, connectedAs, dataPlaneRig, identityWith } from "./wire.ts";

test("port 443 takes MQTT and HTTPS, by ALPN", async () => {
  const rig = await dataPlaneRig({ ports: { alpn: 0 } });
  try {
    const { key, cert } = await identityWith(rig, "alpn", [allow("iot:*")]);
    const port = rig.plane.alpnPort!;
    const mqtt = await connectAsync(
      `mqtts://127.0.0.1:${port}`,
      {
        clientId: "alpn",
        protocolVersion: 5,
        reconnectPeriod: 0,
        key,
        cert,
        ca: rig.ca,
        ALPNProtocols: ["x-amzn-mqtt-ca"],
      } as never,
      false,
    );
    await mqtt.endAsync();
    for (const protocol of ["x-amzn-http-ca", "http/1.1"]) {
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connectTls({
          host: "127.0.0.1",
          port,
          key,
          cert,
          ca: rig.ca,
          ALPNProtocols: [protocol],
        });
        socket.on("error", reject);
        socket.once("data", (bytes: Buffer) => {
          resolve(bytes.toString());
          socket.destroy();
        });
        socket.write("GET /greengrass/discover/thing/x HTTP/1.1\r\nhost: x\r\n\r\n");
      });
      assert.match(answer, /^HTTP\/1\.1 403/);
    }
  } finally {
    await rig.close();
  }
});

test("what is sent to its ports ends no sandbox: half a percent sign, a packet that cannot be said again, noise", async () => {
  const rig = await dataPlaneRig();
  try {
    const identity = await identityWith(rig, "noise", [allow(["iot:*", "greengrass:*"])]);
    const { key, cert } = identity;
    const s3 = await rig.access.s3();
    await s3.send(new PutObjectCommand({ Bucket: "b", Key: "k", Body: "x" }));
    const url = rig.plane.artifactUrl("b/k", "127.0.0.1")!;
    assert.is((await fetch(url)).status, 200);
    assert.is((await fetch(url.replace(/[^/]*$/, "%"))).status, 404);
    const connect: IConnectPacket = {
      cmd: "connect",
      clientId: "noise",
      protocolVersion: 5,
      clean: true,
      keepalive: 60,
    };
    const hello = generate(connect);
    const nameless = generate({ ...connect, username: "u", password: Buffer.from("p") });
    nameless[nameless.indexOf("MQTT") + 5]! &= 0x7f; // a password without a user name
    const random = (length: number): Buffer =>
      Buffer.from(Array.from({ length }, () => Math.floor(Math.random() * 256)));
    const noise = Array.from({ length: 40 }, (_, index) =>
      Buffer.concat([hello, Buffer.from([(index % 15) << 4, 60]), random(60)]),
    );
    for (const bytes of [nameless, ...noise]) {
      const socket = connectTls({
        host: "127.0.0.1",
        port: rig.plane.record.iot.port,
        key,
        cert,
        ca: rig.ca,
      });
      socket.on("error", () => {});
      socket.end(bytes);
      socket.resume();
      await once(socket, "close");
    }
    await (await connectedAs(rig, identity, "fine")).endAsync();
  } finally {
    await rig.close();
  }
});

testWhere(
  test,
  process.platform === "linux" ? undefined : "needs Linux, where all of 127.0.0.0/8 is this machine",
  "another address of this machine has the same ports, with a certificate for it",
  async () => {
    const rig = await dataPlaneRig({ bind: "127.0.0.2" });
    try {
      const identity = await identityWith(rig, "bench", [allow("iot:*")]);
      const { port } = rig.plane.record.iot;
      const there = await connectAsync(
        `mqtts://127.0.0.2:${port}`,
        {
          clientId: "bench",
          protocolVersion: 5,
          reconnectPeriod: 0,
          key: identity.key,
          cert: identity.cert,
          ca: rig.ca,
        },
        false,
      );
      await there.endAsync();
      await (await connectedAs(rig, identity, "bench")).endAsync();
    } finally {
      await rig.close();
    }
  },
);

testWhere(
  test,
  process.platform === "linux" ? undefined : "needs Linux, where all of 127.0.0.0/8 is this machine",
  "sandbox --bind prints the line for the devices' /etc/hosts and warns; an address that is none is refused",
  async () => {
    const root = shippedProject();
    edit(root, "settings.ini", "group = my-group", "group = my-group\nsandbox = device");
    edit(root, "settings.ini", "[core core-1]", "[sandbox]\nports = free\n[core core-1]");
    const sandbox = start(root, "sandbox", "--bind", "127.0.0.2");
    await sandbox.tells(/the sandbox runs/, 0, 20_000);
    sandbox.kill("SIGTERM");
    const { stdout, stderr } = await sandbox.end();
    const told = stdout + stderr;
    assert.match(
      told,
      /for \/etc\/hosts of your devices:\n {2}127\.0\.0\.2 [a-z0-9]{14}-ats\.iot\.eu-west-1\.amazonaws\.com [a-z0-9]{14}\.credentials\.iot\./,
    );
    assert.match(told, /warning: who reaches 127\.0\.0\.2 can talk to this sandbox/);
    const wrong = await start(root, "sandbox", "--bind", "bench").end();
    assert.is(wrong.exit, 2);
    assert.match(wrong.stderr, /--bind takes an IP address of this machine, not "bench"/);
    const elsewhere = await start(root, "sandbox", "--bind", "192.0.2.1").end();
    assert.is(elsewhere.exit, 4);
    assert.match(elsewhere.stderr, /DP633: the sandbox cannot listen on 192\.0\.2\.1:\d* \(EADDRNOTAVAIL\)/);
  },
);

test.run();

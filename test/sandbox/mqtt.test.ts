// The broker as clients of MQTT 3.1.1 and MQTT 5 meet it: each hears its own, and AWS's limits hold by name.
import { once as onceOf, type EventEmitter } from "node:events";
import { connectAsync, type IClientOptions, type MqttClient, type IPublishPacket } from "mqtt";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openBroker, type Broker } from "../../lib/sandbox/mqtt/broker.ts";
import { opened, propertiesNow, sealed } from "../../lib/sandbox/mqtt/envelope.ts";
import { openTlsPort, type TlsPort } from "../../lib/sandbox/data-plane/tls-port.ts";
import { createCa, issueCertificate, issueServer, readCsr } from "../../lib/pki/ca.ts";
import { createCsr, createKey } from "../../lib/pki/keypair.ts";

const test = suite("MQTT");

let [broker, port]: [Broker | undefined, TlsPort | undefined] = [undefined, undefined];
let identity: IClientOptions;
let reasons: string[] = [];
const told: string[] = [];
const waiting = new Set<() => void>();
const open = new Set<MqttClient>();

test.before(async () => {
  const ca = await createCa("broker");
  const key = createKey();
  identity = {
    key,
    cert: await issueCertificate(ca, await readCsr(await createCsr(key, "client"))),
    ca: ca.certificate,
  };
  const note = (who: string | undefined, from: string | undefined, what: string): void => {
    told.push(`${who} (${from}) ${what}`);
    for (const wake of waiting) {
      wake();
    }
  };
  broker = await openBroker({
    versions: [4, 5],
    limits: true,
    note,
    rules: {
      refusal: ({ clientId }) => (clientId === "nobody" ? "nobody may" : undefined),
      mayPublish: (_, topic) => !topic.startsWith("denied"),
      maySubscribe: (_, filter) => !filter.startsWith("denied"),
      mayReceive: () => true,
    },
  });
  broker.on.ended(({ clientId, reason }) => {
    reasons.push(`${clientId} ${reason}`);
    for (const wake of waiting) {
      wake();
    }
  });
  port = await openTlsPort({
    identity: await issueServer(ca, ["localhost", "127.0.0.1"]),
    clientCa: ca.certificate,
    port: 0,
    accept: broker.accept,
    refused: note,
  });
});

test.after(async () => {
  await broker?.close();
  await port?.close();
});

test.after.each(async () => {
  await Promise.all([...open].map((client) => client.endAsync(true)));
  open.clear();
  reasons = [];
});

async function connected(clientId: string, options: Partial<IClientOptions> = {}): Promise<MqttClient> {
  const client = await connectAsync(
    `mqtts://127.0.0.1:${port!.port}`,
    { clientId, protocolVersion: 5, reconnectPeriod: 0, connectTimeout: 5000, ...identity, ...options },
    false,
  );
  client.on("error", () => {});
  open.add(client);
  return client;
}

/** Resolves when the broker told something that matches. */
async function says(what: RegExp): Promise<void> {
  await until(() => told.some((line) => what.test(line)), String(what));
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  if (isSo()) {
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const clock = setTimeout(() => reject(new Error(`${what} did not come:\n${told.join("\n")}`)), 20_000);
    const look = (): void => {
      if (isSo()) {
        clearTimeout(clock);
        waiting.delete(look);
        resolve();
      }
    };
    waiting.add(look);
  });
}

/** mqtt.js types its clients as another kind of emitter than Node's. */
async function once(client: MqttClient, event: string): Promise<unknown[]> {
  return (await onceOf(client as unknown as EventEmitter, event)) as unknown[];
}

interface Got {
  readonly topic: string;
  readonly text: string;
  readonly packet: IPublishPacket;
}

async function next(client: MqttClient): Promise<Got> {
  const [topic, payload, packet] = (await once(client, "message")) as [string, Buffer, IPublishPacket];
  return { topic, text: payload.toString(), packet };
}

test("3.1.1 and 5 hear each other, and properties go from 5 to 5 alone", async () => {
  const [old, current, sender] = await Promise.all([
    connected("old", { protocolVersion: 4 }),
    connected("current"),
    connected("sender"),
  ]);
  await Promise.all([old, current].map((one) => one.subscribeAsync("a/+", { qos: 1 })));
  const both = Promise.all([next(old), next(current)]);
  const properties = {
    userProperties: { unit: "°C" },
    contentType: "text/plain",
    responseTopic: "answers",
    correlationData: Buffer.from("7"),
  };
  await sender.publishAsync("a/b", "21.5", { qos: 1, properties });
  const [toOld, toCurrent] = await both;
  assert.is(toOld.text, "21.5");
  assert.is(toOld.packet.properties, undefined);
  assert.is(toCurrent.text, "21.5");
  assert.equal({ ...toCurrent.packet.properties!.userProperties }, { unit: "°C" });
  assert.is(toCurrent.packet.properties!.responseTopic, "answers");
  assert.is(String(toCurrent.packet.properties!.correlationData), "7");
  const back = next(current);
  await old.publishAsync("a/c", "from 3.1.1", { qos: 0 });
  assert.is((await back).text, "from 3.1.1");
});

test("CONNACK tells a client of MQTT 5 what AWS holds, and the id that it is given", async () => {
  const { connect } = await import("mqtt");
  const assigned = connect(`mqtts://127.0.0.1:${port!.port}`, {
    ...identity,
    clientId: "",
    protocolVersion: 5,
    reconnectPeriod: 0,
    keepalive: 5,
  });
  const [connack] = (await once(assigned, "connect")) as [{ properties: Record<string, unknown> }];
  open.add(assigned);
  const { assignedClientIdentifier, ...rest } = connack.properties;
  assert.match(String(assignedClientIdentifier), /^[0-9a-f-]{36}$/);
  assert.equal(
    { ...rest },
    {
      receiveMaximum: 100,
      maximumQoS: 1,
      retainAvailable: true,
      maximumPacketSize: 149_504,
      topicAliasMaximum: 8,
      wildcardSubscriptionAvailable: true,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: true,
      serverKeepAlive: 30,
    },
  );
});

test("who is refused hears why in MQTT 5, and is reported with its address", async () => {
  const error = await connected("nobody").then(
    () => undefined,
    (failure: unknown) => failure as { code: number },
  );
  assert.is(error?.code, 0x87);
  await says(/^nobody \(127\.0\.0\.1:\d+\) was refused: nobody may$/);
});

test("a client id is one connection: who is there is told that another took over (H3)", async () => {
  const first = await connected("one");
  const gone = once(first, "disconnect") as Promise<[{ reasonCode: number }]>;
  await connected("one");
  assert.is((await gone)[0].reasonCode, 0x8e);
  await says(/^one \(127\.0\.0\.1:\d+\) takes over from 127\.0\.0\.1:\d+/);
  await until(() => reasons.includes("one DUPLICATE_CLIENTID"), "DUPLICATE_CLIENTID");
});

test("how a connection ended is told as AWS tells it", async () => {
  const polite = await connected("polite");
  await polite.endAsync();
  const rude = await connected("rude", { protocolVersion: 4 });
  rude.stream.destroy();
  for (const end of ["polite CLIENT_INITIATED_DISCONNECT", "rude CONNECTION_LOST"]) {
    await until(() => reasons.includes(end), end);
  }
});

/** What SUBACK says of each filter. */
async function granted(client: MqttClient, filters: string[]): Promise<number[]> {
  const codes = new Promise<number[]>((resolve) =>
    client.on("packetreceive", (packet) => {
      if (packet.cmd === "suback") {
        resolve((packet.granted as number[]).map(Number));
      }
    }),
  );
  client.subscribe(filters, { qos: 1 }, () => {});
  return await codes;
}

for (const protocolVersion of [4, 5] as const) {
  const name = `MQTT ${protocolVersion === 4 ? "3.1.1" : "5"}`;

  test(`${name}: what AWS does not take ends the connection, and the limit is named`, async () => {
    const cases: [string, (client: MqttClient) => unknown, RegExp, number][] = [
      [
        "payload",
        (one) => one.publish("a", Buffer.alloc(131_073)),
        /131073 bytes, where AWS takes 131072/,
        0x95,
      ],
      ["topic", (one) => one.publish("t".repeat(257), "x"), /257 bytes, where AWS takes 256/, 0x90],
      ["slashes", (one) => one.publish("a/a/a/a/a/a/a/a/a", "x"), /8 slashes, where AWS takes 7/, 0x90],
      ["dollar", (one) => one.publish("$mine/x", "x"), /what begins with \$ is AWS's/, 0x90],
      ["qos2", (one) => one.subscribe("q", { qos: 2 }), /QoS 2 for "q"/, 0x9b],
      [
        "filters",
        (one) => one.subscribe(Array.from({ length: 9 }, (_, index) => `f/${index}`)),
        /9 topic filters in one SUBSCRIBE, where AWS takes 8/,
        0x97,
      ],
    ];
    for (const [id, act, why, code] of cases) {
      const client = await connected(`${id}-${protocolVersion}`, { protocolVersion });
      const closed = once(client, "close");
      const said = new Promise<number>((resolve) =>
        client.once("disconnect", (packet) => resolve((packet as { reasonCode: number }).reasonCode)),
      );
      act(client);
      await closed;
      await says(new RegExp(`^${id}-${protocolVersion} .* is cut off: .*${why.source}.*AWS IoT Core`));
      if (protocolVersion === 5) {
        assert.is(await said, code, id);
      }
    }
  });

  test(`${name}: at the limits themselves all is well`, async () => {
    const client = await connected("i".repeat(128), { protocolVersion });
    const topic = `${"t".repeat(249)}/a/a/a`;
    const levels = "b/b/b/b/b/b/b/b";
    await client.subscribeAsync([topic, levels], { qos: 1 });
    const first = next(client);
    await client.publishAsync(topic, Buffer.alloc(131_072), { qos: 1 });
    assert.is((await first).packet.payload.length, 131_072);
    const second = next(client);
    await client.publishAsync(levels, "x", { qos: 1 });
    assert.is((await second).topic, levels);
    for (let index = 0; index < 48; index += 8) {
      await client.subscribeAsync(Array.from({ length: 8 }, (_, each) => `s/${index + each}`));
    }
    assert.equal(await granted(client, ["s/more"]), [protocolVersion === 5 ? 0x97 : 0x80]);
    await says(/"s\/more" is subscription 51, where AWS takes 50/);
  });
}

test("client ids that AWS does not take are refused: too long, and with a $", async () => {
  for (const [id, why] of [
    ["x".repeat(129), /a client id of 129 bytes, where AWS takes 128/],
    ["$x", /a client id that begins with \$/],
  ] as const) {
    for (const protocolVersion of [4, 5] as const) {
      const before = told.length;
      await connected(id, { protocolVersion }).then(
        () => assert.unreachable(),
        () => {},
      );
      await until(() => told.slice(before).some((line) => why.test(line)), String(why));
    }
  }
});

test("a publish that is not allowed: QoS 1 of MQTT 5 is told so and stays, others are cut off", async () => {
  const current = await connected("current");
  const code = await current.publishAsync("denied/x", "x", { qos: 1 }).then(
    () => 0,
    (error: unknown) => (error as { code: number }).code,
  );
  assert.is(code, 0x87);
  assert.ok(current.connected);
  const old = await connected("old", { protocolVersion: 4 });
  const closed = once(old, "close");
  old.publish("denied/x", "x", { qos: 1 });
  await closed;
});

test("a subscription that is not allowed: 0x80 in 3.1.1, 0x87 in 5, and the others of it are granted", async () => {
  for (const [protocolVersion, code] of [
    [4, 0x80],
    [5, 0x87],
  ] as const) {
    const client = await connected(`s${protocolVersion}`, { protocolVersion });
    assert.equal(await granted(client, ["fine", "denied/x"]), [1, code]);
  }
});

test("a shared subscription gives each message to one of its clients", async () => {
  const members = await Promise.all(["m1", "m2"].map((id) => connected(id)));
  const all = await connected("all");
  const counts = [0, 0, 0];
  const total = 20;
  const everything = new Promise<void>((resolve) => {
    for (const [index, client] of [...members, all].entries()) {
      client.on("message", () => {
        counts[index]!++;
        if (counts[0]! + counts[1]! === total && counts[2] === total) {
          resolve();
        }
      });
    }
  });
  await Promise.all(members.map((client) => client.subscribeAsync("$share/g/work/+", { qos: 1 })));
  await all.subscribeAsync("work/+", { qos: 1 });
  for (let index = 0; index < total; index++) {
    await all.publishAsync(`work/${index}`, "x", { qos: 1 });
  }
  await everything;
  assert.is(counts[0]! + counts[1]!, total);
  assert.ok(counts[0]! > 0 && counts[1]! > 0, String(counts));
  await members[0]!.unsubscribeAsync("$share/g/work/+");
  const rest = next(members[1]!);
  await all.publishAsync("work/last", "x", { qos: 1 });
  assert.is((await rest).topic, "work/last");
});

test("a message larger than a client takes is not sent to it, and the next one is (2.2)", async () => {
  const small = await connected("small", { properties: { maximumPacketSize: 5000 } });
  const sender = await connected("sender");
  await small.subscribeAsync("to/small", { qos: 1 });
  const got = next(small);
  await sender.publishAsync("to/small", Buffer.alloc(6000), { qos: 1 });
  await says(
    /small .* does not get a message of 60\d\d bytes on "to\/small": its maximum packet size is 5000/,
  );
  await sender.publishAsync("to/small", "fits", { qos: 1 });
  assert.is((await got).text, "fits");
});

test("a session is kept as long as its client asks, and a clean start forgets it", async () => {
  const keeps = { clean: false, properties: { sessionExpiryInterval: 600 } };
  const first = await connected("keeps", keeps);
  await first.subscribeAsync("kept", { qos: 1 });
  await first.endAsync();
  const sender = await connected("sender");
  await sender.publishAsync("kept", "while away", { qos: 1 });
  const { connect } = await import("mqtt");
  const again = (options: Partial<IClientOptions>): MqttClient => {
    const client = connect(`mqtts://127.0.0.1:${port!.port}`, {
      clientId: "keeps",
      protocolVersion: 5,
      reconnectPeriod: 0,
      ...identity,
      ...options,
    });
    open.add(client);
    return client;
  };
  const second = again(keeps);
  const got = next(second);
  const [connack] = (await once(second, "connect")) as [{ sessionPresent: boolean }];
  assert.ok(connack.sessionPresent);
  assert.is((await got).text, "while away");
  await second.endAsync();
  const third = again({ ...keeps, clean: true });
  const [fresh] = (await once(third, "connect")) as [{ sessionPresent: boolean }];
  assert.not(fresh.sessionPresent);
});

test("a retained message comes once to who subscribes, and an empty one ends it", async () => {
  const client = await connected("retains");
  await client.publishAsync("state", "on", { qos: 1, retain: true });
  const other = await connected("later", { protocolVersion: 4 });
  const got = next(other);
  await other.subscribeAsync("state", { qos: 1 });
  assert.is((await got).text, "on");
  assert.ok((await got).packet.retain);
  await client.publishAsync("state", "", { qos: 1, retain: true });
  const last = await connected("last");
  const marker = next(last);
  await last.subscribeAsync(["state", "marker"], { qos: 1 });
  await client.publishAsync("marker", "x", { qos: 1 });
  assert.is((await marker).topic, "marker");
});

test("a will is sent when the connection is lost, with its properties", async () => {
  const watcher = await connected("watcher");
  await watcher.subscribeAsync("wills", { qos: 1 });
  const will = {
    topic: "wills",
    payload: Buffer.from("gone"),
    qos: 1 as const,
    retain: false,
    properties: { contentType: "text/plain" },
  };
  const mortal = await connected("mortal", { will });
  const got = next(watcher);
  mortal.stream.destroy();
  assert.is((await got).text, "gone");
  assert.is((await got).packet.properties!.contentType, "text/plain");
});

test("UNSUBSCRIBE of what nobody subscribed is a success: nucleus lite ends its connection at 0x11", async () => {
  const client = await connected("unsubscribes");
  const codes = new Promise<number[]>((resolve) =>
    client.on("packetreceive", (packet) => {
      if (packet.cmd === "unsuback") {
        resolve(packet.granted);
      }
    }),
  );
  client.unsubscribe("never/asked", () => {});
  assert.equal(await codes, [0]);
});

test("No Local, and a topic alias", async () => {
  const client = await connected("local");
  await client.subscribeAsync("loop", { qos: 1, nl: true });
  await client.subscribeAsync("mark", { qos: 1 });
  const got = next(client);
  await client.publishAsync("loop", "own", { qos: 1 });
  await client.publishAsync("mark", "first", { qos: 1, properties: { topicAlias: 3 } });
  assert.is((await got).topic, "mark");
});

test("a message that waited is worth less, and an expired one nothing", () => {
  const bytes = sealed(
    {
      cmd: "publish",
      topic: "t",
      payload: "x",
      qos: 1,
      dup: false,
      retain: false,
      properties: { messageExpiryInterval: 60 },
    },
    1000,
  );
  assert.equal(propertiesNow(opened(bytes), 1010), { messageExpiryInterval: 50 });
  assert.is(propertiesNow(opened(bytes), 1061), undefined);
});

test.run();

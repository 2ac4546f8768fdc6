// Another broker as the core: mosquitto with mutual TLS, and an ACL made from the very device policy that we
// deploy. What the kit does with it, it does not owe to the sandbox's own broker.
import { once } from "node:events";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createCa, issueCertificate, issueServer, readCsr, type Ca } from "../../lib/pki/ca.ts";
import { createCsr, createKey } from "../../lib/pki/keypair.ts";
import { mqttModule } from "../../lib/device/mqtt-module.ts";
import { Started, type Ended } from "../support/bin.ts";
import { repository } from "../support/clone.ts";
import { tempFolder } from "../support/temp.ts";
import { testWith, toolPath } from "../support/tools.ts";

const test = suite("the kit and mosquitto");
const TOOLS = ["mosquitto", "mosquitto_pub"];

interface Core {
  readonly port: number;
  readonly accounts: Ca;
  readonly coreCa: Ca;
  readonly broker: Started;
}
let core: Core;
let mqtt: string;
/** Answers discovery with the broker's address and that CA. */
let discovery: { readonly port: number; readonly web: Ca; trusted: string; close: () => void };

/**
 * The deployed policy in mosquitto's terms: `%c` is the client's id, `*` all that follows (mosquitto.conf(5),
 * acl_file).
 */
function aclOfDeployment(): string {
  const template = readFileSync(join(repository, "templates/deployment/deployment.json.njk"), "utf8");
  const patterns = (operation: string): string[] =>
    [
      ...template.matchAll(
        new RegExp(`"operations": \\["mqtt:${operation}"\\], "resources": \\["mqtt:[a-z]+:([^"]+)"\\]`, "g"),
      ),
    ].map(([, resource = ""]) =>
      resource.replace("${iot:Connection.Thing.ThingName}", "%u").replace(/\*$/, "#"),
    );
  return [
    ...patterns("publish").map((topic) => `pattern write ${topic}`),
    ...patterns("subscribe").map((topic) => `pattern read ${topic}`),
  ].join("\n");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function startMosquitto(): Promise<Core> {
  const folder = tempFolder("mosquitto");
  const [accounts, coreCa] = [await createCa("account CA"), await createCa("core CA")];
  const server = await issueServer(coreCa, ["127.0.0.1"]);
  const port = await freePort();
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const acl = aclOfDeployment();
  assert.match(acl, /pattern write clients\/%u\/#\npattern read clients\/%u\/#/);
  const configuration = file(
    "mosquitto.conf",
    [
      `listener ${port} 127.0.0.1`,
      `cafile ${file("accounts.pem", accounts.certificate)}`,
      `certfile ${file("server.pem", server.certificate)}`,
      `keyfile ${file("server.key", server.key)}`,
      "require_certificate true",
      "use_identity_as_username true",
      `acl_file ${file("acl", `${acl}\n`)}`,
      `user ${process.getuid?.() === 0 ? "root" : ""}`,
      "log_type all",
      "",
    ]
      .filter((line) => line !== "user ")
      .join("\n"),
  );
  const broker = new Started(folder, "mosquitto", ["-c", configuration, "-v"]);
  await broker.tells(/mosquitto version .* running/);
  return { port, accounts, coreCa, broker };
}

/** A kit folder for a thing, with a certificate of that CA. */
async function kitOf(name: string, accounts = core.accounts): Promise<string> {
  const folder = tempFolder("kit");
  for (const file of ["discovery.mjs", "core-connection.mjs", "talk.mjs"]) {
    cpSync(join(repository, "edge/thing-kit", file), join(folder, file));
  }
  const key = createKey();
  writeFileSync(join(folder, "mqtt.mjs"), mqtt);
  writeFileSync(join(folder, "private.pem.key"), key, { mode: 0o600 });
  writeFileSync(
    join(folder, "device.pem.crt"),
    await issueCertificate(accounts, await readCsr(await createCsr(key, name))),
  );
  writeFileSync(join(folder, "web.pem"), discovery.web.certificate);
  writeFileSync(
    join(folder, "connection.json"),
    JSON.stringify({
      sandbox: false,
      thing: name,
      core: "core-1",
      region: "eu-west-1",
      discovery_host: "127.0.0.1",
      discovery_port: discovery.port,
      certificate: "device.pem.crt",
      key: "private.pem.key",
      ca: "web.pem",
    }),
  );
  return folder;
}

function talk(folder: string, ...words: string[]): Started {
  // An empty environment but for PATH: a thing has no npm, and no node_modules above its kit.
  return new Started(folder, process.execPath, [join(folder, "talk.mjs"), ...words], {
    env: { PATH: process.env["PATH"] },
  });
}

const ended = (folder: string, ...words: string[]): Promise<Ended> => talk(folder, ...words).end(30_000);

if (TOOLS.every((name) => toolPath(name) !== undefined)) {
  test.before(async () => {
    core = await startMosquitto();
    mqtt = await mqttModule();
    const web = await createCa("web CA");
    const identity = await issueServer(web, ["127.0.0.1"]);
    const server = createTlsServer({ key: identity.key, cert: identity.certificate }, (_, response) => {
      const Connectivity = [
        { Id: "dead", HostAddress: "127.0.0.1", PortNumber: 1, Metadata: "docker0" },
        { Id: "b", HostAddress: "127.0.0.1", PortNumber: core.port, Metadata: "" },
      ];
      response.end(
        JSON.stringify({
          GGGroups: [
            {
              GGGroupId: "g",
              Cores: [{ thingArn: "arn:aws:iot:eu-west-1:123456789012:thing/core-1", Connectivity }],
              CAs: [discovery.trusted],
            },
          ],
        }),
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    discovery = {
      port: (server.address() as AddressInfo).port,
      web,
      trusted: core.coreCa.certificate,
      close: () => server.close(),
    };
  });
  test.after(() => {
    discovery.close();
    core.broker.kill("SIGTERM");
  });
}

testWith(
  test,
  TOOLS,
  "a message goes through the core and comes back; a dead address before it does no harm",
  async () => {
    const { exit, stderr } = await ended(await kitOf("thing-1"), "prove");
    assert.is(exit, 0, stderr);
    assert.match(
      stderr,
      /received: the message of thing-1 came back through core-1 \(127\.0\.0\.1:\d+\) after [\d.]+ ms/,
    );
  },
);

testWith(test, TOOLS, "one run publishes what another one subscribed to", async () => {
  const folder = await kitOf("thing-1");
  const listener = talk(folder, "subscribe", "clients/thing-1/hello", "--count", "1");
  await listener.tells(/listening to/);
  writeFileSync(join(folder, "core.pem"), core.coreCa.certificate);
  // The same thing twice would end the first connection: the message comes from outside, as another client of
  // the thing's name would send it.
  const sender = new Started(folder, "mosquitto_pub", [
    "-h",
    "127.0.0.1",
    "-p",
    String(core.port),
    "--cafile",
    join(folder, "core.pem"),
    "--cert",
    join(folder, "device.pem.crt"),
    "--key",
    join(folder, "private.pem.key"),
    "-i",
    "another",
    "-t",
    "clients/thing-1/hello",
    "-m",
    "good morning",
    "-q",
    "1",
  ]);
  assert.is((await sender.end()).exit, 0, sender.told);
  const { exit, stdout } = await listener.end();
  assert.is(exit, 0);
  assert.is(stdout, "clients/thing-1/hello good morning\n");
});

testWith(test, TOOLS, "a certificate of a foreign CA is refused", async () => {
  const { exit, stderr } = await ended(await kitOf("thing-1", await createCa("foreign CA")), "prove");
  assert.is(exit, 4, stderr);
  assert.match(stderr, /the core refused thing-1/);
});

testWith(test, TOOLS, "a core whose certificate is not of the group's CA gets nothing", async () => {
  const folder = await kitOf("thing-1");
  discovery.trusted = (await createCa("another core's CA")).certificate;
  const { exit, stderr } = await ended(folder, "prove");
  discovery.trusted = core.coreCa.certificate;
  assert.is(exit, 1, stderr);
  assert.match(stderr, /the core's certificate is not to be trusted/);
});

testWith(test, TOOLS, "a topic of another thing is refused by the deployed policy", async () => {
  const [folder, other] = [await kitOf("thing-1"), await kitOf("thing-2")];
  // mosquitto takes a message that it does not pass on: what counts is that the other thing never sees it.
  const listener = talk(other, "subscribe", "clients/thing-2/#", "--count", "1");
  await listener.tells(/listening to/);
  const from = core.broker.told.length;
  await ended(folder, "publish", "clients/thing-2/hello", "forged");
  await core.broker.tells(/Denied PUBLISH from thing-1/, from);
  assert.is((await ended(await kitOf("thing-1"), "prove")).exit, 0);
  listener.kill("SIGTERM");
  assert.is((await listener.end()).stdout, "");
});

test.run();

#!/usr/bin/env node
// Talks MQTT to this thing's core: finds it by discovery, tries every address, publishes and subscribes.
// Needs Node 18 or newer and no packages: mqtt.mjs is mqtt.js, bundled. `node talk.mjs --help` says how.
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { connectToCore } from "./core-connection.mjs";
import { discover, kit, noCore, printable, printCores, readConnection, Stop } from "./discovery.mjs";

const USAGE = `usage: node talk.mjs prove
       node talk.mjs publish TOPIC TEXT
       node talk.mjs subscribe FILTER [--count N]
       node talk.mjs discover
       node talk.mjs sdk-arguments

  prove          sends one message through the core and waits until it comes back
  publish        sends one message; the core lets a thing use topics below clients/<its name>/
  subscribe      prints what comes, one message a line, until Ctrl-C or N messages
  discover       prints the cores' addresses and writes the files of their CAs, for other MQTT clients
  sdk-arguments  what the samples of the AWS IoT Device SDKs (basic_discovery) take for this thing

  --host HOST  another discovery endpoint than that of connection.json
  --port PORT  another port: 8443, or 443 where only that leaves the network
  --ca FILE    the CA that the endpoint's certificate comes from
  --json       the result as one line of JSON, with the stage at which it failed

exit code: 0 done, 1 failed, 2 wrong usage or kit not whole, 4 something must be changed in AWS first
`;
const MESSAGE_MS = 10_000;
const WORDS = { prove: 0, publish: 2, subscribe: 1, discover: 0, "sdk-arguments": 0 };
const OPTIONS = {
  host: { type: "string" },
  port: { type: "string" },
  ca: { type: "string" },
  count: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean" },
};
const MAY_NOT = "the policies of aws.greengrass.clientdevices.Auth in the deployment say what a thing may do";

/** How far it got, for programs that ask with --json. */
const result = { ok: false, stage: "kit" };
let asJson = process.argv.includes("--json");

function say(line) {
  if (!asJson) {
    console.error(line);
  }
}

function readArguments() {
  try {
    const {
      values,
      positionals: [command, ...words],
    } = parseArgs({ options: OPTIONS, allowPositionals: true });
    if (values.help) {
      return { values, command: "help", words };
    }
    if (!Object.hasOwn(WORDS, command ?? "")) {
      throw new Error(command === undefined ? "there is no command" : `${command} is no command`);
    }
    if (words.length !== WORDS[command]) {
      throw new Error(`${command} takes ${WORDS[command]} words, not ${words.length}`);
    }
    if (values.count !== undefined && !/^[1-9]\d{0,8}$/.test(values.count)) {
      throw new Error(`--count takes a number, not ${values.count}`);
    }
    return { values, command, words };
  } catch (error) {
    throw new Stop(2, `${error.message}\n${USAGE}`);
  }
}

/** The answer of the work, or the Stop if the core ends the connection meanwhile, or time is up. */
async function orRefused(client, work, refusal) {
  let late;
  const ended = new Promise((_, reject) => {
    client.once("close", () => reject(refusal));
    late = setTimeout(
      () =>
        reject(
          new Stop(
            1,
            `nothing came within ${MESSAGE_MS / 1000} s`,
            "look at the log of aws.greengrass.clientdevices.mqtt.Moquette on the core",
          ),
        ),
      MESSAGE_MS,
    );
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    clearTimeout(late);
  }
}

async function subscribe(client, filter) {
  result.stage = "subscribe";
  const refusal = new Stop(4, `the core does not let this thing subscribe to ${printable(filter)}`, MAY_NOT);
  const granted = await orRefused(
    client,
    client.subscribeAsync(filter, { qos: 1 }).catch(() => [{ qos: 128 }]),
    refusal,
  );
  if (granted[0] === undefined || granted[0].qos > 2) {
    throw refusal;
  }
}

async function publish(client, topic, text) {
  result.stage = "publish";
  await orRefused(
    client,
    client.publishAsync(topic, text, { qos: 1 }),
    new Stop(4, `the core does not let this thing publish on ${printable(topic)}`, MAY_NOT),
  );
}

async function prove({ thing }, { client, core, where }) {
  const topic = `clients/${thing}/proof`;
  const text = JSON.stringify({ thing, at: new Date().toISOString(), id: randomUUID() });
  await subscribe(client, topic);
  const back = new Promise((resolve) =>
    client.on("message", (on, payload) => on === topic && payload.toString() === text && resolve()),
  );
  const start = process.hrtime.bigint();
  await publish(client, topic, text);
  result.stage = "receive";
  await orRefused(
    client,
    back,
    new Stop(
      1,
      "the core ended the connection before the message came back",
      "look at the log of aws.greengrass.clientdevices.mqtt.Moquette on the core",
    ),
  );
  result.ms = Number(process.hrtime.bigint() - start) / 1e6;
  say(
    `received: the message of ${thing} came back through ${core} (${where}) after ${result.ms.toFixed(1)} ms`,
  );
}

/** Prints messages until there were enough of them, or somebody ends it. */
async function listen(client, filter, count) {
  let seen = 0;
  const over = new Promise((resolve, reject) => {
    client.on("message", (topic, payload) => {
      console.log(printable(`${topic} ${payload}`));
      if (++seen === count) {
        resolve();
      }
    });
    client.on("close", () => reject(new Stop(1, "the core ended the connection")));
    for (const signal of ["SIGINT", "SIGTERM"]) {
      process.once(signal, resolve);
    }
  });
  over.catch(() => {});
  await subscribe(client, filter);
  say(`listening to ${filter}`);
  await over;
}

/**
 * For basic_discovery of the AWS IoT Device SDKs (Greengrass V2 Developer Guide, "Test client device
 * communications").
 */
function sdkArguments({ thing, region, certificate, key, ca }) {
  const words = [
    "--thing_name",
    thing,
    "--region",
    region,
    "--cert",
    `${kit}/${certificate}`,
    "--key",
    `${kit}/${key}`,
    "--ca_file",
    `${kit}/${ca}`,
    "--topic",
    `clients/${thing}/hello`,
    "--message",
    "hello",
  ];
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}

async function main() {
  const { values, command, words } = readArguments();
  if (command === "help") {
    asJson = false;
    return void console.log(USAGE);
  }
  const connection = readConnection();
  if (connection.sandbox === true) {
    say("SANDBOX: this thing is known to the sandbox only, not to AWS");
  }
  if (command === "sdk-arguments") {
    asJson = false;
    return void console.log(sdkArguments(connection));
  }
  result.stage = "discover";
  const groups = await discover(connection, values);
  if (command === "discover") {
    asJson = false;
    if (printCores(groups) === 0) {
      throw noCore(`the answer names no address of a core of ${connection.thing}`);
    }
    return;
  }
  const core = await connectToCore(connection, groups, result);
  try {
    if (command === "prove") {
      await prove(connection, core);
    }
    if (command === "publish") {
      await publish(core.client, ...words);
    }
    if (command === "subscribe") {
      await listen(core.client, words[0], Number(values.count ?? Infinity));
    }
  } finally {
    core.client.removeAllListeners("close");
    core.client.end(true);
  }
  result.ok = true;
}

try {
  await main();
} catch (error) {
  process.exitCode = error instanceof Stop ? error.exitCode : 1;
  const text = error instanceof Stop ? error.message : `error: ${error.message}`;
  const [what, fix] = text.replace(/^error: /, "").split("\n  fix: ");
  Object.assign(result, { exit: process.exitCode, what, ...(fix === undefined ? {} : { fix }) });
  say(text);
}
if (asJson) {
  console.log(JSON.stringify(result));
}

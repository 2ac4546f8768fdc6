import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { CreateThingCommand, DescribeThingCommand, ListThingsCommand } from "@aws-sdk/client-iot";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { awsAccess } from "../../lib/aws/clients.ts";
import { ProblemError } from "../../lib/problem/index.ts";
import { openSandbox } from "../../lib/sandbox/server.ts";
import { regionIn } from "../support/account.ts";
import { tempFolder } from "../support/temp.ts";
import { failure, REGION, withSandbox } from "./rig.ts";

const SERVE = fileURLToPath(new URL("serve.ts", import.meta.url));

test("the file holds a key: nobody else can read it or its folder", () =>
  withSandbox(async ({ file }) => {
    assert.is(statSync(file).mode & 0o777, 0o600);
    assert.is(statSync(dirname(file)).mode & 0o777, 0o700);
    assert.equal(readdirSync(dirname(file)), ["account.json"]);
  }));

test("a file that others may read is closed to them when it is opened", async () => {
  const file = join(tempFolder("sandbox"), "account.json");
  await withSandbox(async () => undefined, file);
  const text = readFileSync(file);
  const copy = join(tempFolder("sandbox"), "account.json");
  writeFileSync(copy, text, { mode: 0o644 });
  await withSandbox(async () => assert.is(statSync(copy).mode & 0o777, 0o600), copy);
});

test("an account survives kill -9: what was answered is there, under the same CA", async () => {
  const file = join(tempFolder("sandbox"), "account.json");
  const child = execa(process.execPath, ["--import", "tsx", SERVE, file], { reject: false, all: true });
  const started = await new Promise<{ endpoint: string; caPem: string }>((resolve, reject) => {
    child.stdout.once("data", (line: Buffer) => resolve(JSON.parse(line.toString())));
    void child.then(({ all }) => reject(new Error(all)));
  });
  const access = awsAccess({ region: REGION, endpoint: started.endpoint });
  const client = await access.iot();
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => client.send(new CreateThingCommand({ thingName: `t${i}` }))),
  );
  child.kill("SIGKILL");
  assert.is((await child).signal, "SIGKILL");
  access.close();
  await withSandbox(async (again) => {
    const { things } = await (await again.access.iot()).send(new ListThingsCommand({}));
    assert.is(things?.length, 20);
    assert.is(again.sandbox.caPem, started.caPem);
  }, file);
});

test("reading and repeating change no byte of the file", () =>
  withSandbox(async ({ file, access }) => {
    const client = await access.iot();
    await client.send(new CreateThingCommand({ thingName: "t" }));
    const before = [readFileSync(file, "utf8"), statSync(file).mtimeMs];
    await client.send(new CreateThingCommand({ thingName: "t" }));
    await client.send(new DescribeThingCommand({ thingName: "t" }));
    assert.equal([readFileSync(file, "utf8"), statSync(file).mtimeMs], before);
  }));

for (const [kind, damage] of [
  ["cut", (text: string) => text.slice(0, text.length / 2)],
  ["empty", () => ""],
  [
    "of another shape",
    (text: string) => text.replace('"tables":{', '"tables":{"roles":[["one",{"name":1}]]'),
  ],
  ["of a later format", (text: string) => text.replace('"format":2', '"format":3')],
] as const) {
  test(`a file that is ${kind} stops with its name and the way out, and is left as it is`, async () => {
    const file = join(tempFolder("sandbox"), "account.json");
    await withSandbox(async () => undefined, file);
    const damaged = damage(readFileSync(file, "utf8"));
    writeFileSync(file, damaged);
    const error = await failure(openSandbox({ file, region: REGION }));
    assert.instance(error, ProblemError);
    assert.is((error as ProblemError).exitCode, 4);
    assert.is((error as ProblemError).problems[0]?.location?.file, file);
    assert.match(error.message, /fix: put back a copy/);
    assert.is(readFileSync(file, "utf8"), damaged);
  });
}

test("a file that is a folder stops with its name", async () => {
  const file = join(tempFolder("sandbox"), "account.json");
  mkdirSync(file);
  const error = await failure(openSandbox({ file, region: REGION }));
  assert.instance(error, ProblemError);
  assert.match(error.message, /account\.json.*EISDIR/);
});

test("a sandbox never overwrites what another one wrote into its file", () =>
  withSandbox(async ({ file, sandbox }) => {
    await withSandbox(async (other) => {
      await (await other.access.iot()).send(new CreateThingCommand({ thingName: "theirs" }));
    }, file);
    const written = readFileSync(file, "utf8");
    const post = await fetch(`${sandbox.endpoint}/things/ours`, { method: "POST", body: "{}" });
    assert.is(post.status, 500);
    assert.match(await post.text(), /changed by another program/);
    assert.is(readFileSync(file, "utf8"), written);
  }));

/** Makes things one after the other, and gives the files as they are while the sandbox is open. */
async function madeThings(file: string, count: number): Promise<{ snapshot: Buffer; log: Buffer }> {
  let files!: { snapshot: Buffer; log: Buffer };
  await withSandbox(async ({ access }) => {
    const client = await access.iot();
    for (let i = 1; i <= count; i++) {
      await client.send(new CreateThingCommand({ thingName: `t${i}` }));
    }
    files = { snapshot: readFileSync(file), log: readFileSync(logOf(file)) };
  }, file);
  return files;
}

const logOf = (file: string): string => file.replace(/json$/, "log");

async function thingsIn(file: string): Promise<readonly string[]> {
  let names: string[] = [];
  await withSandbox(async ({ access }) => {
    const { things = [] } = await (await access.iot()).send(new ListThingsCommand({}));
    names = things.map(({ thingName = "" }) => thingName);
  }, file);
  return names;
}

test("each save appends what it changed; at the end a small account is one file again", async () => {
  const file = join(tempFolder("sandbox"), "account.json");
  const { snapshot, log } = await madeThings(file, 50);
  assert.ok(!snapshot.includes("t50") && log.includes("t50"));
  assert.ok(log.length < 3 * readFileSync(file).length, `${log.length} bytes for 50 things`);
  assert.equal(readdirSync(dirname(file)), ["account.json"]);
  assert.is((await thingsIn(file)).length, 50);
});

test("a log that was cut anywhere holds what was saved whole before; the rest is cut off, and it goes on", async () => {
  const file = join(tempFolder("sandbox"), "account.json");
  const { snapshot, log } = await madeThings(file, 3);
  const whole = log.toString().indexOf("\n", log.indexOf('"t2"')) + 1;
  for (let size = whole; size < log.length; size += 7) {
    writeFileSync(file, snapshot);
    writeFileSync(logOf(file), log.subarray(0, size));
    await withSandbox(async ({ access }) => {
      await (await access.iot()).send(new CreateThingCommand({ thingName: "later" }));
    }, file);
    assert.equal(await thingsIn(file), ["t1", "t2", "later"], `${size} of ${log.length}`);
  }
});

test("a log that is damaged where more follows stops; one of an older snapshot counts for nothing", async () => {
  const file = join(tempFolder("sandbox"), "account.json");
  const { snapshot, log } = await madeThings(file, 3);
  writeFileSync(file, snapshot);
  writeFileSync(logOf(file), log.toString().replace('"t1"', '"x1"'));
  assert.match((await failure(openSandbox({ file, region: REGION }))).message, /batch at \d+ of its log/);
  writeFileSync(logOf(file), log.toString().replace(/"generation":"../, '"generation":"xx'));
  assert.equal(await thingsIn(file), []);
});

test("an account of the first format is taken over with all that belongs together", async () => {
  const file = join(tempFolder("sandbox"), "account.json");
  await withSandbox(async () => undefined, file);
  const {
    format: _,
    generation: __,
    tables: ___,
    crc: ____,
    ...identity
  } = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  const at = 1_700_000_000;
  const id = "ab".repeat(32);
  const region = {
    name: REGION,
    things: [{ name: "core-1", id: "1", attributes: {}, version: 1 }],
    groups: [
      {
        name: "g",
        id: "2",
        attributes: {},
        tags: [],
        version: 1,
        createdAt: at,
        things: ["core-1"],
        policies: [],
      },
    ],
    certificates: [
      {
        ...{ id, pem: "PEM", status: "ACTIVE", createdAt: at, modifiedAt: at },
        things: [{ name: "core-1", type: "EXCLUSIVE_THING" }],
        policies: ["p"],
      },
    ],
    policies: [],
    aliases: [],
    associations: [{ core: "core-1", device: "thing-1", at }],
    deployments: [
      {
        ...{ id: "d", target: "t", revision: "1", latest: true, canceled: false, document: "{}", tags: {} },
        createdAt: at,
        executions: [{ core: "core-1", status: "SUCCEEDED", errors: [], createdAt: at, modifiedAt: at }],
      },
    ],
    connections: [{ thing: "core-1", connected: false, at }],
  };
  writeFileSync(file, JSON.stringify({ format: 1, ...identity, roles: [], policies: [], regions: [region] }));
  await withSandbox(async ({ sandbox }) => {
    assert.is(sandbox.caPem, (identity["ca"] as { certificate: string }).certificate);
  }, file);
  const found = regionIn(file, REGION);
  assert.equal(found.groups[0]!.things, ["core-1"]);
  assert.equal([found.certificates[0]!.things, found.certificates[0]!.policies], [["core-1"], ["p"]]);
  assert.equal(found.associations, ["core-1/thing-1"]);
  assert.is(found.deployments[0]!.job, "d");
  assert.is(found.deployments[0]!.executions[0]!.status, "SUCCEEDED");
  assert.equal(found.connections, ["core-1"]);
});

test.run();

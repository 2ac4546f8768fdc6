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
  ["of another shape", (text: string) => text.replace('"roles":[]', '"roles":[{"name":1}]')],
  ["of a later format", (text: string) => text.replace('"format":1', '"format":2')],
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

test.run();

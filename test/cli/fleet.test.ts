// A fleet by the registry's API: an inventory, bundles on demand, runs that are killed, and how it ends.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { regionIn } from "../support/account.ts";
import { BIN, Started } from "../support/bin.ts";
import { events, freshClone, ran, type Clone } from "../support/clone.ts";
import { randomNumbers, torture } from "../support/random.ts";

const SIZE = 16;
const KILLS = Math.ceil(4 * torture);
const ACCOUNT = "terraform/state/sandbox/account.json";

interface Fleet extends Clone {
  path: (name: string) => string;
  write: (name: string, text: string) => void;
  read: (name: string) => string;
}

/** A clone whose cores and things are rows of two files, and made by the API. */
function fleet(size = SIZE): Fleet {
  const clone = freshClone();
  const path = (name: string): string => join(clone.root, name);
  const write = (name: string, text: string): void => writeFileSync(path(name), text);
  const read = (name: string): string => readFileSync(path(name), "utf8");
  mkdirSync(path("fleet"));
  const numbers = Array.from({ length: size }, (_, index) => index + 1);
  write("fleet/cores.csv", `name,group\n${numbers.map((n) => `c-${n},g${n % 2}\n`).join("")}`);
  write("fleet/things.csv", `name,core\n${numbers.map((n) => `t-${n},c-${n}\n`).join("")}`);
  write(
    "settings.ini",
    `${read("settings.ini").split("; one section for each core device")[0]!.replace("name = dospesos", "name = dospesos\nregistry = api")}
[cores]
from = fleet/cores.csv
[things]
from = fleet/things.csv
`,
  );
  return { ...clone, path, write, read };
}

function ok(clone: Clone, ...words: string[]): string {
  const { exit, stdout, stderr } = clone.dospesos(...words);
  assert.is(exit, 0, stderr);
  return stdout + stderr;
}

/** What is in the account of the cores and things, and that nothing is there twice. */
function assertWhole(clone: Fleet, size = SIZE): void {
  const { things, certificates, policies } = regionIn(clone.path(ACCOUNT));
  assert.is(things.length, 2 * size);
  assert.is(certificates.length, 2 * size, "a certificate for each, and none that belongs to nobody");
  for (const { things: its, policies: attached, status } of certificates) {
    assert.equal([its.length, attached.length, status], [1, 1, "ACTIVE"]);
  }
  assert.is(new Set(certificates.flatMap(({ things: its }) => its)).size, 2 * size);
  assert.is(policies.length, 2 * size + 1, "one each, and the one that cores of Terraform share");
}

test("a plain build registers the fleet and makes no bundle; each bundle is made when it is named", () => {
  const clone = fleet();
  ok(clone, "build");
  assertWhole(clone);
  assert.not(existsSync(clone.path("edge/out/c-1.tar.gz")));
  assert.not(existsSync(clone.path("terraform/core/c-1.tfvars.json")));
  assert.match(ok(clone, "build"), "nothing to do");
  assert.equal(ran(clone.dospesos("build", "edge/out/c-7", "--json")), ["edge/out/c-7.tar.gz"]);
  assert.match(ok(clone, "build", "edge/out/c-7"), "nothing to do");
  ok(clone, "build", "edge/out/c-8", "edge/out/things/t-8");
  assert.match(ok(clone, "check", "c-8", "t-8"), "all checks passed");
});

test("one cell is the business of that core alone, one row more that of its own steps", () => {
  const clone = fleet();
  ok(clone, "build");
  const steps = (): string[] =>
    ran(clone.dospesos("build", "--json")).filter((one) => !one.includes("/deployment"));
  clone.write("fleet/cores.csv", clone.read("fleet/cores.csv").replace("c-3,g1", "c-3,g0"));
  assert.equal(steps().sort(), ["identity of core c-3", "terraform/state/effects/core/c-3.json"]);
  clone.write("fleet/cores.csv", `${clone.read("fleet/cores.csv")}c-${SIZE + 1},g0\n`);
  assert.equal(steps().sort(), [
    `edge/keys/c-${SIZE + 1}/private.pem.key`,
    `identity of core c-${SIZE + 1}`,
    `terraform/state/effects/core/c-${SIZE + 1}.json`,
  ]);
  const { groups } = regionIn(clone.path(ACCOUNT));
  assert.not(groups.find(({ name }) => name === "g1")!.things.includes("c-3"));
  assert.ok(groups.find(({ name }) => name === "g0")!.things.includes("c-3"));
});

test("what left the inventory is ended by name, and destroy leaves nothing", () => {
  const clone = fleet(3);
  ok(clone, "build");
  clone.write("fleet/things.csv", "name,core\nt-1,c-1\nt-2,c-2\n");
  clone.write("fleet/cores.csv", "name,group\nc-1,g1\nc-2,g0\n");
  ok(clone, "build");
  ok(clone, "destroy", "c-3", "t-3", "--yes");
  assertWhole(clone, 2);
  ok(clone, "destroy", "--yes");
  const left = regionIn(clone.path(ACCOUNT));
  assert.equal(
    Object.entries(left).filter(([, list]) => list.length > 0),
    [],
  );
});

test(`killed at ${KILLS} random moments a build goes on, makes nothing twice and loses nothing`, async () => {
  const random = randomNumbers("fleet kills");
  const clone = fleet();
  // The account is another process, as AWS is: what was asked of it happens, also when nobody hears the answer.
  const sandbox = new Started(clone.root, process.execPath, [BIN, "sandbox", "-C", clone.root]);
  try {
    await sandbox.tells(/the sandbox runs/, 0, 20_000);
    const from = performance.now();
    let longest = 1500;
    for (let round = 0; round < KILLS; round++) {
      const run = new Started(clone.root, process.execPath, [BIN, "build", "-C", clone.root]);
      const timer = setTimeout(() => run.kill("SIGKILL"), 300 + random() * longest);
      const { exit } = await run.end(60_000);
      clearTimeout(timer);
      if (exit === 0) {
        longest = (performance.now() - from) / 2;
        break;
      }
    }
    ok(clone, "build");
    assertWhole(clone);
    assert.match(ok(clone, "build"), "nothing to do");
    assert.not(existsSync(clone.path("terraform/state/certificates.log")));
  } finally {
    sandbox.kill("SIGTERM");
    await sandbox.end(20_000);
  }
});

test("with AWS's quotas the sandbox refuses what comes too soon, and the build keeps to them", async () => {
  const clone = fleet(12);
  clone.write(
    "settings.ini",
    `${clone.read("settings.ini")}[sandbox]\nthrottling = aws\n[quotas]\ncreate_policy = 100\n`,
  );
  const found = events(clone.dospesos("build", "--json"));
  assert.equal(
    found.filter(({ status }) => status === "failed"),
    [],
  );
  assertWhole(clone, 12);
});

test.run();

// A new identity for a device that runs (A9): beside the old one, which ends when the device was seen without it.
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { cpSync, existsSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { regionIn } from "../support/account.ts";
import { openDataPlane, type DataPlane } from "../../lib/sandbox/data-plane/index.ts";
import { freshClone, type Ended } from "../support/clone.ts";
import { tempFolder } from "../support/temp.ts";

const clone = freshClone();
const path = (name: string): string => join(clone.root, name);
const BUNDLE = "edge/out/core-1";

/** What is installed on the device: the simulated core runs with it, whatever is built meanwhile. */
const installed = tempFolder("installed");
const install = (): void => cpSync(path("edge/out"), installed, { recursive: true });
let devices: DataPlane;

test.before(async () => {
  await ok("build");
  install();
  devices = await openDataPlane({
    file: path("terraform/state/sandbox/account.json"),
    region: "eu-west-1",
    bundles: installed,
    log: () => {},
  });
});
test.after(() => devices.close());

const run = (...words: string[]): Promise<Ended> => clone.start(...words);

async function ok(...words: string[]): Promise<Ended> {
  const ended = await run(...words);
  assert.is(ended.exit, 0, ended.stderr);
  return ended;
}

/** The states of a thing's certificates. */
function certificatesOf(thing: string): readonly string[] {
  return regionIn(path("terraform/state/sandbox/account.json"))
    .certificates.filter(({ things }) => things.includes(thing))
    .map(({ status }) => status);
}

/** The public keys of a bundle's private key and of its certificate. */
function keysOf(folder: string): { readonly own: string; readonly certified: string } {
  const text = (key: ReturnType<typeof createPublicKey>): string =>
    key.export({ type: "spki", format: "pem" }).toString();
  const own = createPrivateKey(readFileSync(path(`${folder}/private.pem.key`)));
  const { publicKey } = new X509Certificate(readFileSync(path(`${folder}/device.pem.crt`)));
  return { own: text(createPublicKey(own)), certified: text(publicKey) };
}

test("rotate makes a second certificate and a bundle for it; the old ones stay", async () => {
  const before = keysOf(BUNDLE);
  const { stderr } = await ok("rotate", "core-1");
  assert.match(stderr, `next: install ${BUNDLE}.tar.gz on the device, then dospesos rotate core-1 again`);
  const after = keysOf(BUNDLE);
  assert.is.not(after.own, before.own);
  assert.is(after.own, after.certified, "the certificate of the bundle is for its key");
  assert.equal(certificatesOf("core-1"), ["ACTIVE", "ACTIVE"]);
  assert.is(statSync(path("edge/keys/core-1/next.pem.key")).mode & 0o777, 0o600);
  await ok("build");
  assert.is(certificatesOf("core-1").length, 2, "a build ends none of them");
});

test("a run whose bundle was never built only begins: there is nothing that a device could have", async () => {
  rmSync(path(BUNDLE), { recursive: true });
  const { stderr } = await ok("rotate", "core-1");
  assert.match(stderr, "next: install");
  assert.equal(certificatesOf("core-1"), ["ACTIVE", "ACTIVE"]);
});

test("a device that has not got its new bundle keeps its certificate", async () => {
  const { exit, stderr } = await run("rotate", "core-1");
  assert.is(exit, 1, stderr);
  assert.match(stderr, `core-1  needs its old certificate, which is active again: install ${BUNDLE}.tar.gz`);
  assert.equal(certificatesOf("core-1"), ["ACTIVE", "ACTIVE"]);
});

test("one that runs with the new certificate loses the old one, and no build changes anything after that", async () => {
  install();
  await devices.restartCores();
  await devices.settled();
  const next = keysOf(BUNDLE);
  const { stderr } = await ok("rotate", "core-1");
  assert.match(stderr, "core-1  the old certificate is deleted, the new one has taken its place");
  assert.equal(certificatesOf("core-1"), ["ACTIVE"]);
  assert.not(existsSync(path("edge/keys/core-1/next.pem.csr")));
  assert.equal(keysOf(BUNDLE), next);
  assert.match((await ok("build")).stderr, "nothing to do");
});

test("what a client thing runs with nobody can see: somebody says so", async () => {
  await ok("rotate", "thing-1");
  assert.is(certificatesOf("thing-1").length, 2);
  const unseen = await run("rotate", "thing-1");
  assert.is(unseen.exit, 4, unseen.stderr);
  assert.match(unseen.stderr, "nothing was ended: run it with --yes");
  assert.is(certificatesOf("thing-1").length, 2);
  await ok("rotate", "thing-1", "--yes");
  assert.is(certificatesOf("thing-1").length, 1);
});

test("a run that was killed is taken up, and a clone without the next key is told what to bring", async () => {
  await ok("rotate", "thing-1");
  const [key, kept] = [path("edge/keys/thing-1/next.pem.key"), path("next-kept")];
  renameSync(key, kept);
  rmSync(path("edge/out/things/thing-1"), { recursive: true });
  const stopped = await run("build");
  assert.is(stopped.exit, 4, stopped.stderr);
  assert.match(
    stopped.stderr,
    /DP603: thing-1 is being rotated.*\n.*\n.*bring edge\/keys\/thing-1\/next\.pem\.key/,
  );
  // Killed between the two renamings at its end.
  renameSync(kept, path("edge/keys/thing-1/private.pem.key"));
  await ok("rotate", "thing-1");
  assert.not(existsSync(path("edge/keys/thing-1/device.pem.csr")));
  await ok("rotate", "thing-1", "--yes");
  assert.is(certificatesOf("thing-1").length, 1);
});

test("what cannot be rotated is refused with its reason", async () => {
  assert.match(
    (await run("rotate", "cor-1")).stderr,
    /DP626: there is no \[core "?cor-1"?\].*did you mean core-1/,
  );
  assert.match((await run("rotate", "core-1", "thing-1")).stderr, "DP626: rotate takes one name");
  assert.is((await run("rotate")).exit, 2);
});

test.run();

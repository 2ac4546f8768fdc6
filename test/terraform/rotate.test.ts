// A rotation with real Terraform: two certificates in the state, then one again, at the place of the first.
import { existsSync, readFileSync, renameSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { regionIn } from "../support/account.ts";
import { testWithProvider } from "../support/terraform.ts";
import { planExit, terraformClone } from "./rig.ts";

const STATE = "terraform/state/000000000000/eu-west-1/core/core-1.tfstate";

testWithProvider(
  test,
  "rotate core-1: a second certificate, and in the end it alone, where the first was",
  async (mirror) => {
    const clone = terraformClone(mirror);
    const ok = (...words: string[]): string => {
      const { exit, stderr } = clone.run(...words);
      assert.is(exit, 0, stderr);
      return stderr;
    };
    const addresses = (): string[] =>
      (
        JSON.parse(clone.read(STATE)) as { resources: { mode: string; type: string; name: string }[] }
      ).resources
        .filter(({ mode }) => mode === "managed")
        .map(({ type, name }) => `${type}.${name}`);
    const certificates = (): string[] =>
      regionIn(clone.path("terraform/state/sandbox/account.json"))
        .certificates.filter(({ things }) => things.includes("core-1"))
        .map(({ id }) => id);
    ok("build", "edge-installer");
    const [first] = certificates();
    const before = addresses();
    ok("rotate", "core-1");
    assert.is(certificates().length, 2);
    assert.is(addresses().filter((address) => address.includes(".next_")).length, 4);
    assert.is(await planExit(clone, "core", "core-1"), 0);

    // A clone to which nobody brought the next key ends nothing.
    const NEXT = clone.path("edge/keys/core-1/next.pem.csr");
    renameSync(NEXT, `${NEXT}.away`);
    const stopped = clone.run("build");
    assert.is(stopped.exit, 4, stopped.stderr);
    assert.match(stopped.stderr, /next\.pem\.csr: error DP420: core core-1 is being rotated/);
    assert.is(certificates().length, 2);
    renameSync(`${NEXT}.away`, NEXT);

    // The simulated core takes the new bundle when it is started for this.
    const ended = ok("rotate", "core-1");
    assert.match(ended, "core-1  the old certificate is deleted");
    const [last, ...more] = certificates();
    assert.equal(more, []);
    assert.is.not(last, first);
    assert.equal(addresses().sort(), before.sort());
    assert.not(existsSync(NEXT));
    assert.is(await planExit(clone, "core", "core-1"), 0);
    assert.match(ok("build", "edge-installer"), "nothing to do");

    // Killed when the account and the state were done: no build makes another certificate, and rotate ends it.
    renameSync(clone.path("edge/keys/core-1/private.pem.key"), clone.path("edge/keys/core-1/next.pem.key"));
    renameSync(clone.path("edge/keys/core-1/request.pem.csr"), NEXT);
    const held = clone.run("build", "edge-installer");
    assert.is(held.exit, 4, held.stderr);
    assert.match(held.stderr, "the rotation of core core-1 was interrupted at its end");
    ok("rotate", "core-1");
    assert.equal(certificates(), [last]);
    assert.is(await planExit(clone, "core", "core-1"), 0);
    assert.match(readFileSync(clone.path("edge/out/core-1/MANIFEST"), "utf8"), "private.pem.key");
  },
);

test.run();

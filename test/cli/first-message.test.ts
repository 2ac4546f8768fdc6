// The command line of the README: from a fresh clone to a message that a client thing sent and got back.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { freshClone } from "../support/clone.ts";

test("a fresh clone is built, and check ends with a message received; nothing keeps running", () => {
  const clone = freshClone();
  const begin = performance.now();
  const built = clone.dospesos("build");
  assert.is(built.exit, 0, built.stderr);
  const { exit, stdout, stderr } = clone.dospesos("check");
  console.error(
    `from a built node_modules to a message received: ${((performance.now() - begin) / 1000).toFixed(1)} s`,
  );
  assert.is(exit, 0, stdout + stderr);
  assert.match(stdout, /ok +message received +[\d.]+ ms through 127\.0\.0\.1:\d+/);
  assert.match(stderr, /SANDBOX[^]*all checks passed/);
  assert.not(existsSync(join(clone.root, "terraform/state/sandbox/data-plane.json")));
  assert.is(clone.git("status", "--porcelain"), "");
});

test("a thing that is not there is named, and nothing is looked at", () => {
  const { exit, stderr } = freshClone().dospesos("check", "thing-2");
  assert.is(exit, 2);
  assert.match(stderr, /DP203: there is no core and no thing "thing-2"; did you mean thing-1\?/);
});

test.run();

// `dospesos destroy NAME…`: what left the settings goes out of the account, and nothing else does.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { regionIn } from "../support/account.ts";
import { freshClone } from "../support/clone.ts";

const clone = freshClone();
const settings = (change: (text: string) => string): void =>
  writeFileSync(
    join(clone.root, "settings.ini"),
    change(readFileSync(join(clone.root, "settings.ini"), "utf8")),
  );
const MORE = "\n[core core-2]\ngroup = my-group\n[thing thing-2]\ncore = core-2\n";

function done(...words: string[]): string {
  const { exit, stdout, stderr } = clone.dospesos(...words);
  assert.is(exit, 0, stderr);
  return stdout + stderr;
}

function inAccount(): string[] {
  const region = regionIn(join(clone.root, "terraform/state/sandbox/account.json"));
  return [
    ...region.things.map(({ name }) => name).sort(),
    ...region.policies.map(({ name }) => name).sort(),
    `${region.certificates.length} certificates`,
  ];
}

test("what left the settings stays in the account, inventory says how it goes, and destroy takes it alone", () => {
  done("build");
  const before = inAccount();
  settings((text) => text + MORE);
  done("build");
  assert.ok(inAccount().includes("core-2") && inAccount().includes("thing-2"));
  settings((text) => text.replace(MORE, ""));
  assert.match(done("build"), "core core-2 is no longer in the project, but what it applied still exists");
  const listed = done("inventory");
  assert.match(listed, /core +core-2 .*NOT IN settings\.ini/);
  assert.match(
    listed,
    "core-2, thing-2: no longer in settings.ini; remove with: npx dospesos destroy core-2 thing-2",
  );

  const asked = clone.dospesos("destroy", "core-2", "thing-2");
  assert.is(asked.exit, 4, asked.stderr);
  assert.match(asked.stderr, "-   association of thing-2 with core-2");
  assert.not.match(asked.stderr, "core-1");

  const told = done("destroy", "core-2", "thing-2", "--yes");
  assert.match(told, "left      edge/keys/core-2: a private key");
  assert.equal(inAccount(), before);
  assert.match(done("build"), "nothing to do");
  assert.not.match(done("inventory"), "NOT IN");
});

test("what is destroyed and still in the settings is made anew by the next build", () => {
  const before = inAccount();
  assert.match(done("destroy", "thing-1", "--yes"), "settings.ini: thing-1: the next build makes it anew");
  assert.not.ok(inAccount().includes("thing-1"));
  done("build");
  assert.equal(inAccount(), before);
});

test("a name under which nothing was applied is refused, with the one that was meant", () => {
  const { exit, stderr } = clone.dospesos("destroy", "core1", "--yes");
  assert.is(exit, 2);
  assert.match(stderr, 'no core or thing "core1" was applied from here; did you mean core-1?');
});

test.run();

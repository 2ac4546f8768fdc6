// A dry run says what the build then says (A13): what is made, applied and removed, and what stays.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { events, freshClone } from "../support/clone.ts";

test("what a dry run lists is what the build does, effects by their names and removals too", () => {
  const clone = freshClone();
  assert.is(clone.dospesos("build").exit, 0);
  const settings = join(clone.root, "settings.ini");
  writeFileSync(settings, readFileSync(settings, "utf8").replaceAll("core-1", "core-9"));
  const said = events(clone.dospesos("build", "-n", "--json"));
  const text = clone.dospesos("build", "-n");
  const done = events(clone.dospesos("build", "--json"));
  const listed = (from: typeof said, type: string, key: string): unknown[] =>
    from
      .filter((event) => event["type"] === type && event[key] !== undefined)
      .map((event) => event[key])
      .sort();
  const removed = listed(done, "removed", "target");
  assert.ok(removed.length > 5);
  assert.equal(listed(said, "would-remove", "target"), removed);
  assert.equal(listed(said, "note", "what"), listed(done, "note", "what"));
  const ran = done.filter(({ type, status }) => type === "step" && status !== "fresh");
  const isListed = (name: unknown): boolean =>
    said.some(({ type, target, effect }) => type === "status" && (target === name || effect === name));
  assert.equal(
    ran.map(({ target, effect }) => effect ?? target).filter((name) => !isListed(name)),
    [],
  );
  assert.match(text.stdout, /^would apply {3}core core-9 {2}new$/m);
  assert.match(text.stdout, /^would remove {2}edge\/out\/core-1\.tar\.gz$/m);
  assert.not.match(text.stdout, "terraform/state/effects");
});

test("a plan for a hundred cores with a Terraform state each names the registry's API", () => {
  const clone = freshClone();
  const settings = join(clone.root, "settings.ini");
  const text = readFileSync(settings, "utf8");
  const more = Array.from({ length: 99 }, (_, index) => `\n[core more-${index}]\n`).join("");
  const advised = (): unknown[] =>
    events(clone.dospesos("build", "-n", "--json")).filter(({ type }) => type === "many-states");
  assert.equal(advised(), []);
  writeFileSync(settings, text + more);
  assert.equal(advised(), [{ type: "many-states", cores: 100, things: 1 }]);
  assert.match(
    clone.dospesos("build", "-n").stderr,
    "a Terraform state for each device (cores: 100, things: 1)",
  );
  writeFileSync(settings, text.replace("[instance]", "[instance]\nregistry = api") + more);
  assert.equal(advised(), []);
});

test.run();

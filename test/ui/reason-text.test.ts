import { test } from "uvu";
import * as assert from "uvu/assert";
import { reasonText } from "../../lib/ui/reason-text.ts";

test("a changed setting is reported as it is in the file, with both values", () => {
  assert.is(
    reasonText({ kind: "setting", key: "core core-1.group", from: "a", to: "b" }),
    '[core core-1] group: "a" → "b"',
  );
  assert.is(
    reasonText({ kind: "setting", key: "greengrass.sha256", from: null, to: "b" }),
    '[greengrass] sha256: (none) → "b"',
  );
});

test("of a changed fact only the members that differ are reported", () => {
  assert.is(
    reasonText({ kind: "fact", name: "core core-1", from: { arn: "x", id: "1" }, to: { arn: "x", id: "2" } }),
    "core core-1: id changed",
  );
});

test("a glob says which files came and went", () => {
  assert.is(
    reasonText({ kind: "glob", pattern: "src/*", added: ["src/b"], removed: ["src/a"] }),
    "src/*: +src/b -src/a",
  );
});

test("what a terminal would obey is escaped, and long values are cut", () => {
  assert.is(
    reasonText({ kind: "setting", key: "a.b", from: "\u202e", to: null }),
    '[a] b: "\\u202e" → (none)',
  );
  assert.ok(reasonText({ kind: "setting", key: "a.b", from: "x".repeat(500), to: null }).length < 100);
});

test.run();

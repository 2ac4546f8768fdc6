import { test } from "uvu";
import * as assert from "uvu/assert";
import { didYouMean, problemText, shown } from "../../lib/problem/index.ts";

test("a problem names its place, what is wrong, why it matters and what to type", () => {
  const text = problemText({
    code: "DP104",
    location: { file: "settings.ini", line: 12, column: 9 },
    what: "no",
    why: "because",
    fix: "yes",
  });
  assert.is(text, "settings.ini:12:9: error DP104: no\n  why: because\n  fix: yes");
});

test("characters that a terminal hides or obeys are shown as escapes", () => {
  assert.is(shown("a\u202eb\u001b[31m\ufeff"), '"a\\u202eb\\u001b[31m\\ufeff"');
  assert.is(shown("é🙂"), '"é🙂"');
});

test("a long value is cut", () => {
  assert.is(shown("x".repeat(500)).length, 123);
});

test("a slip of the finger finds the word that was meant", () => {
  assert.is(didYouMean("regoin", ["region", "account"]), "region");
  assert.is(didYouMean("us-esat-1", ["us-west-1", "us-east-1", "eu-west-1"]), "us-east-1");
  assert.is(didYouMean("banana", ["region", "account"]), undefined);
});

test.run();

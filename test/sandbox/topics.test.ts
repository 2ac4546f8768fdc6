// Topic filters, and the documents of shadows: what needs no connection.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { matches } from "../../lib/sandbox/mqtt/sessions.ts";

test("topic filters match as MQTT says", () => {
  for (const [filter, topic, is] of [
    ["a/+/c", "a/b/c", true],
    ["a/#", "a", true],
    ["a/#", "a/b/c", true],
    ["+", "a/b", false],
    ["#", "$aws/x", false],
    ["+/x", "$aws/x", false],
    ["$aws/#", "$aws/x", true],
    ["a", "a/", false],
  ] as const) {
    assert.is(matches(filter, topic), is, `${filter} ${topic}`);
  }
});

test.run();

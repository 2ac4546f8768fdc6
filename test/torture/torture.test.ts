import { test } from "uvu";
import * as assert from "uvu/assert";
import { torture } from "./torture.ts";

test("a quick torture with a fixed seed finds nothing wrong", async () => {
  const { figures, wrong } = await torture("1", "quick", () => {});
  console.error(`\n${figures}`);
  assert.equal(wrong, []);
});

test.run();

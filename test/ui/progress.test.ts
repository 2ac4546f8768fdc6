import { test } from "uvu";
import * as assert from "uvu/assert";
import { Progress } from "../../lib/ui/progress.ts";

test("a long run says how far it is and how long it may take, now and then", () => {
  const progress = new Progress(true);
  progress.begin(1000, 0);
  const said: string[] = [];
  for (let step = 1; step <= 1000; step++) {
    const line = progress.step(`core core-${step}`, step * 50);
    if (line !== undefined) {
      said.push(line);
    }
  }
  assert.is(said.length, 249);
  assert.is(said[0], "4 of 1,000 steps, about 50 s left  core core-4");
  assert.is(said.at(-1), "996 of 1,000 steps, about 1 s left  core core-996");
});

test("where nobody looks it is a line each half minute", () => {
  const progress = new Progress(false);
  progress.begin(10_000, 0);
  const said = Array.from({ length: 9_000 }, (_, index) => progress.step("x", index * 10)).filter(Boolean);
  assert.is(said.length, 2);
  assert.match(said[0]!, /^3,001 of 10,000 steps, about 70 s left/);
});

test.run();

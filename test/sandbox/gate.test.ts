// What a thousand simulated cores ask at once goes a few at a time.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { gate } from "../../lib/sandbox/device/gate.ts";

test("so many at a time and in turn; one that fails lets the next one go", async () => {
  const pass = gate(3);
  const begun: number[] = [];
  let [inside, most] = [0, 0];
  const ends = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      pass(async () => {
        begun.push(index);
        most = Math.max(most, ++inside);
        await new Promise(setImmediate);
        inside--;
        if (index % 4 === 0) {
          throw new Error(`${index}`);
        }
        return index;
      }),
    ),
  );
  assert.is(most, 3);
  assert.equal(
    begun,
    Array.from({ length: 20 }, (_, index) => index),
  );
  assert.equal(
    ends.flatMap((end, index) => (end.status === "rejected" ? [index] : [])),
    [0, 4, 8, 12, 16],
  );
});

test.run();

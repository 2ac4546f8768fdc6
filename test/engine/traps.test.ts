import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";

/**
 * Where incremental builds go wrong, as other engines learned it: 67 traps, known by number. A test names
 * those that it is about.
 */
const TRAPS = 67;
const here = fileURLToPath(new URL("..", import.meta.url));

/** The traps that the names of a file's tests end with. */
function trapsIn(name: string): number[] {
  const endings = readFileSync(join(here, name), "utf8").matchAll(/\(traps? (\d+(?:, \d+)*)\)(?=["'`],)/g);
  return [...endings].flatMap(([, numbers]) => numbers!.split(", ").map(Number));
}

test("each of the 67 traps has a test that names it", () => {
  const named = new Set(
    readdirSync(here, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts"))
      .flatMap(trapsIn),
  );
  const all = Array.from({ length: TRAPS }, (_, index) => index + 1);
  assert.equal(
    all.filter((trap) => !named.has(trap)),
    [],
    "traps without a test",
  );
  assert.equal(
    [...named].filter((trap) => trap < 1 || trap > TRAPS),
    [],
    "there are no such traps",
  );
});

test.run();

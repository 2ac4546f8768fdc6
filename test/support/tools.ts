import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Test } from "uvu";

/** The absolute path of a program on PATH, or undefined. */
export function toolPath(name: string): string | undefined {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    if (folder === "") {
      continue;
    }
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not here: look in the next folder
    }
  }
  return undefined;
}

/**
 * Declares a test that needs programs which a machine may lack. Where one is missing it says so on stderr and
 * counts as skipped; where all are there it runs like any other test.
 */
export function testWith<T>(
  test: Test<T>,
  tools: readonly string[],
  name: string,
  body: Parameters<Test<T>>[1],
): void {
  const missing = tools.filter((tool) => toolPath(tool) === undefined);
  testWhere(test, missing.length === 0 ? undefined : `needs ${missing.join(", ")}`, name, body);
}

/** Declares a test. Where something hinders it, it says what on stderr and counts as skipped. */
export function testWhere<T>(
  test: Test<T>,
  hindrance: string | undefined,
  name: string,
  body: Parameters<Test<T>>[1],
): void {
  if (hindrance === undefined) {
    test(name, body);
  } else {
    console.error(`\nNOT RUN (${hindrance}): ${name}`);
    test.skip(name, body);
  }
}

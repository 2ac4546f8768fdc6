import { spawnSync } from "node:child_process";
import type { Test } from "uvu";
import { BIN, dospesos, PLAIN, ran, type Ended } from "./bin.ts";
import { testWhere, toolPath } from "./tools.ts";

const NOBODY = "65534";
const isRoot = process.getuid?.() === 0;

/** A user whom modes and owners keep out: the one of the test, or nobody where that is root. */
export const user = {
  owns(path: string): void {
    if (isRoot) {
      spawnSync("chown", ["-R", NOBODY, path]);
    }
  },
  runs(root: string, ...words: string[]): Ended {
    if (!isRoot) {
      return dospesos(root, ...words);
    }
    return ran(
      root,
      "setpriv",
      [`--reuid=${NOBODY}`, "--clear-groups", process.execPath, BIN, ...words],
      PLAIN,
    );
  },
};

/**
 * Declares a test of files that a user may not read or write. Root may do everything, so it needs setpriv(1)
 * to be somebody else.
 */
export function testAsUser<T>(test: Test<T>, name: string, body: Parameters<Test<T>>[1]): void {
  testWhere(
    test,
    !isRoot || toolPath("setpriv") !== undefined
      ? undefined
      : "root is kept out of nothing, and there is no setpriv",
    name,
    body,
  );
}

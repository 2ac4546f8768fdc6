// Output that cannot be written: a full disk below `> build.log`, played by /dev/full (full(4)).
import { existsSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, dospesos, ran, type Ended } from "../support/bin.ts";
import { projectOf } from "../support/folder.ts";

const DOFILE = `import { file, project, rule } from "dospesos";
export default project(() => Array.from({ length: 60 }, (_, n) => rule({ target: "out/" + n, needs: { source: file("source.txt") }, recipe: ({ source }) => n + source.text })));
`;
const full = existsSync("/dev/full") ? test : test.skip;

function runTo(root: string, redirection: string, ...words: string[]): Ended {
  return ran(root, "sh", ["-c", `exec "$0" "$@" ${redirection}`, process.execPath, BIN, ...words]);
}

for (const words of [["list"], ["status"], ["help"], ["build", "--force", "--json"]]) {
  full(`${words.join(" ")} > /dev/full: reported once on stderr, exit 1, and the lock is free (A1)`, () => {
    const root = projectOf(DOFILE, { "source.txt": "one\n" });
    const { exit, stderr } = runTo(root, "> /dev/full", ...words);
    assert.is(exit, 1, stderr);
    assert.is(stderr.match(/error DP003: stdout cannot be written: ENOSPC/g)?.length, 1, stderr);
    assert.not.match(stderr, /DP239|\n {4}at /);
    assert.is(dospesos(root, "build", "--no-wait").exit, 0);
  });
}

full("build 2> /dev/full: the build is whole, stdout says why its exit code is 1 (A1)", () => {
  const root = projectOf(DOFILE, { "source.txt": "one\n" });
  const { exit, stdout } = runTo(root, "2> /dev/full", "build");
  assert.is(exit, 1);
  assert.match(stdout, /^error DP003: stderr cannot be written: ENOSPC[^\n]*\n {2}fix: [^\n]+\n$/);
  assert.match(dospesos(root, "build").stderr, "nothing to do");
});

full("with both streams on a full disk the build is whole and ends with 1 (A1)", () => {
  const root = projectOf(DOFILE, { "source.txt": "one\n" });
  assert.is(runTo(root, "> /dev/full 2>&1", "build", "--force").exit, 1);
  assert.match(dospesos(root, "build").stderr, "nothing to do");
});

test.run();

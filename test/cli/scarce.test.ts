import { chmodSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, dospesos, ran } from "../support/bin.ts";
import { contentsOf, projectOf } from "../support/folder.ts";
import { testWith } from "../support/tools.ts";
import { buildAsTold } from "../support/told.ts";
import { testAsUser, user } from "../support/user.ts";

/**
 * Rules that only read and write, and with `programs` as many that run a program, which costs three
 * descriptors each.
 */
function dofileOf(programs: boolean): string {
  return `import { file, glob, project, rule } from "dospesos";
export default project(() => [
  ...Array.from({ length: 100 }, (_, n) => rule({ target: "out/" + n, needs: { source: file("in/" + n), all: glob("in/*") }, recipe: async ({ source, all }) => { await undefined; return source.text + all.length; } })),
  ...Array.from({ length: ${programs ? 60 : 0} }, (_, n) => rule({ target: "out/cat-" + n, needs: { source: file("in/" + n) }, recipe: ({ source }, { run }) => run("cat", [], source.text) })),
]);
`;
}
const SOURCES = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`in/${n}`, `source ${n}`]));

test("64 descriptors are enough to build hundreds of files at -j 64 (trap 56)", () => {
  const root = projectOf(dofileOf(false), SOURCES);
  const { exit, stderr } = ran(root, "sh", [
    "-c",
    `ulimit -n 64 && exec "$0" "$1" build -j 64`,
    process.execPath,
    BIN,
  ]);
  assert.is(exit, 0, stderr);
  assert.equal(buildAsTold(root), []);
});

testWith(
  test,
  ["cat"],
  "where programs take all descriptors, steps fail with what is too many, the others are made, and the next build makes the rest (trap 56)",
  () => {
    const root = projectOf(dofileOf(true), SOURCES);
    const { exit, stderr } = ran(root, "sh", [
      "-c",
      `ulimit -n 64 && exec "$0" "$1" build -k -j 64`,
      process.execPath,
      BIN,
    ]);
    assert.is(exit, 1, stderr);
    assert.match(stderr, "EMFILE");
    assert.not.match(stderr, "DP001");
    const made = contentsOf(root);
    for (let n = 0; n < 100; n++) {
      assert.is(made[`out/${n}`], `644 source ${n}100`);
    }
    assert.ok(
      buildAsTold(root).every((target) => target.startsWith("out/cat-")),
      "only programs failed",
    );
    const whole = contentsOf(root);
    for (let n = 0; n < 60; n++) {
      assert.is(whole[`out/cat-${n}`], `644 source ${n}`);
    }
    assert.equal(buildAsTold(root), []);
  },
);

testAsUser(
  test,
  "a source that the user may not read fails the step that needs it, with its name, and the others are made (trap 56)",
  () => {
    const root = projectOf(
      dofileOf(false)
        .replace(`, all: glob("in/*")`, "")
        .replace("({ source, all })", "({ source })")
        .replace(" + all.length", ""),
      SOURCES,
    );
    user.owns(root);
    for (const first of [true, false]) {
      chmodSync(join(root, "in/7"), 0);
      const { exit, stderr } = user.runs(root, "build", "-k");
      assert.is(exit, 1, stderr);
      assert.match(stderr, /in\/7: error DP\d+.*EACCES/);
      assert.not.match(stderr, "DP001");
      assert.is(stderr.match(/error/g)?.length, 1, stderr);
      const made = Object.keys(contentsOf(root, (name) => name === "in/7")).filter((name) =>
        name.startsWith("out/"),
      );
      assert.is(made.length, first ? 99 : 100);
      assert.is(user.runs(root, "status").exit, 1, "status tells it, too");
      chmodSync(join(root, "in/7"), 0o644);
      assert.is(user.runs(root, "build").exit, 0);
      assert.is(dospesos(root, "status").exit, 0);
    }
  },
);

test.run();

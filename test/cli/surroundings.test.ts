// What goes wrong before the program runs: each is one error with its fix, and no stack (A17).
import { chmodSync, cpSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PLAIN, ran } from "../support/bin.ts";
import { freshClone } from "../support/clone.ts";
import { tempFolder } from "../support/temp.ts";
import { testWhere } from "../support/tools.ts";

const test = suite("surroundings");

test("npm ci was forgotten, wholly or in part: the package is named with the command", () => {
  const { root } = freshClone();
  for (const name of ["node_modules/nunjucks", "node_modules/valibot", "node_modules"]) {
    rmSync(join(root, name), { recursive: true });
    rmSync(join(root, "node_modules/.cache"), { recursive: true, force: true });
    const { exit, stderr } = ran(root, process.execPath, [join(root, "lib/cli/bin.cjs"), "build"], PLAIN);
    assert.is(exit, 4, stderr);
    assert.match(stderr, /^error DP005: the package \S+ is not installed\n {2}fix: npm ci.*\n$/m);
  }
});

test("a Node that is too old is named with the one that is needed", () => {
  const old = join(tempFolder("old"), "old.cjs");
  writeFileSync(old, `Object.defineProperty(process.versions, "node", { value: "18.20.8" });\n`);
  const { root } = freshClone();
  const words = ["--require", old, join(root, "lib/cli/bin.cjs"), "build"];
  const { exit, stderr } = ran(root, process.execPath, words, PLAIN);
  assert.is(exit, 4, stderr);
  assert.match(stderr, "error DP004: this is Node 18.20.8, and DosPesos needs 20.19 or newer\n  fix: ");
});

testWhere(
  test,
  process.getuid?.() === 0 ? undefined : "needs root",
  "packages that root installed, used by somebody else: the folder is named with the ways out, and one of them helps",
  () => {
    const clone = freshClone();
    const folder = join(tempFolder("installed"), "clone");
    cpSync(clone.root, folder, { recursive: true, verbatimSymlinks: true });
    rmSync(join(folder, "node_modules/.cache"), { recursive: true, force: true });
    for (let at = folder; at.length > 5; at = join(at, "..")) {
      chmodSync(at, 0o755);
    }
    const as = (id: number) =>
      spawnSync(process.execPath, [join(folder, "lib/cli/bin.cjs"), "--version"], {
        cwd: folder,
        uid: id,
        gid: id,
        env: { ...PLAIN, HOME: "/nonexistent" },
        encoding: "utf8",
      });
    const refused = as(65_534);
    assert.is(refused.status, 4, refused.stderr);
    assert.match(
      refused.stderr,
      /^error DP006: the compiled program cannot be written to \S+ \(EACCES\)\n {2}fix: /,
    );
    assert.is(as(0).status, 0);
    assert.match(as(65_534).stdout, /^\d+\.\d+\.\d+\n$/);
  },
);

test.run();

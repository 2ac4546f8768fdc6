// Where git says nothing, a file that a person wrote is not taken for one that a build made (A4).
import { spawnSync } from "node:child_process";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, PLAIN, ran, type Ended } from "../support/bin.ts";
import { projectOf, put, textOf } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";
import { toolPath } from "../support/tools.ts";

const DOFILE = `import { file, project, rule } from "dospesos";
export default project(() => [rule({ target: "out/report.txt", needs: { source: file("source.txt") }, recipe: ({ source }) => source.text })]);
`;

function folderWithout(...tools: string[]): string {
  const folder = tempFolder("path");
  for (const tool of ["flock", "sh"].filter((one) => !tools.includes(one))) {
    symlinkSync(toolPath(tool)!, join(folder, tool));
  }
  return folder;
}

const SILENT: readonly (readonly [string, NodeJS.ProcessEnv, boolean])[] = [
  ["no repository", PLAIN, false],
  ["git is not installed", { ...PLAIN, PATH: folderWithout("git") }, true],
  ["dubious ownership", { ...PLAIN, GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" }, true],
];

for (const [what, env, isRepository] of SILENT) {
  test(`${what}: a person's file is neither overwritten nor cleaned; --force replaces it (A4)`, () => {
    const root = projectOf(DOFILE, { "source.txt": "built\n", ".gitignore": "out/\n.dospesos/\n" });
    if (isRepository) {
      assert.is(spawnSync("git", ["init", "-q", root]).status, 0);
    }
    const dospesos = (...words: string[]): Ended => ran(root, process.execPath, [BIN, ...words], env);
    put(root, "out/report.txt", "mine\n");
    const built = dospesos("build");
    assert.is(built.exit, 1, built.stderr);
    assert.match(built.stderr, "out/report.txt: error DP236: a file that no build made is in the way");
    assert.match(built.stderr, "git does not say whether it ignores it");
    rmSync(join(root, ".dospesos"), { recursive: true });
    const cleaned = dospesos("clean");
    assert.is(cleaned.exit, 0, cleaned.stderr);
    assert.match(cleaned.stderr, "left      out/report.txt: git does not say whether somebody wrote it");
    assert.is(textOf(root, "out/report.txt"), "mine\n");
    assert.is(dospesos("build", "--force").exit, 0);
    assert.is(textOf(root, "out/report.txt"), "built\n");
    put(root, "source.txt", "built again\n");
    assert.is(dospesos("build").exit, 0);
    assert.is(textOf(root, "out/report.txt"), "built again\n");
  });
}

test.run();

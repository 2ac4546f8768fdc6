// Who else may write what runs: settings, the Dofile, rules, templates, the cached bundle (A16).
import { chmodSync, chownSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BIN, PLAIN, ran, type Ended } from "../support/bin.ts";
import { projectOf, put, textOf } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";
import { testWhere } from "../support/tools.ts";
import { spawnSync } from "node:child_process";

const test = suite("writers");

const DOFILE = `import { project } from "dospesos";
import { report } from "./rules/report.ts";
export default project(() => [report()]);
`;

const FILES = {
  "rules/report.ts": `import { rule } from "dospesos";
export const report = () => rule({ target: "out/report.txt", recipe: (_, { render }) => render("templates/report.txt.njk", {}) });
`,
  "templates/report.txt.njk": "{% include './part.txt.njk' %}",
  "templates/part.txt.njk": "part",
};

const CODE = [
  "settings.ini",
  "Dofile.ts",
  "rules/report.ts",
  "templates/report.txt.njk",
  "templates/part.txt.njk",
];

const built = (root: string, ...words: string[]): Ended =>
  ran(root, process.execPath, [BIN, "build", ...words], PLAIN);

test("what others may write is refused before it runs, each file by its name; chmod is the way out", () => {
  for (const name of CODE) {
    const root = projectOf(DOFILE, FILES);
    chmodSync(join(root, name), 0o666);
    const { exit, stderr } = built(root);
    assert.is(exit, 2, `${name}: ${stderr}`);
    assert.match(stderr, new RegExp(`${name}: error DP(105|248): everybody can write this file`));
    assert.match(stderr, `chmod go-w ${name}`);
    chmodSync(join(root, name), 0o644);
    assert.is(built(root).exit, 0);
  }
});

test("a folder in which others may replace what runs is refused, too", () => {
  const root = projectOf(DOFILE, FILES);
  chmodSync(join(root, "rules"), 0o777);
  const { exit, stderr } = built(root);
  assert.is(exit, 2, stderr);
  assert.match(stderr, "rules: error DP248: everybody can write into this folder");
  chmodSync(join(root, "rules"), 0o1777);
  assert.is(built(root).exit, 0);
});

test("the cached bundle is of its user alone, and one that was changed is not run", () => {
  const root = projectOf(DOFILE, FILES);
  assert.is(built(root).exit, 0);
  const cache = join(root, ".dospesos/cache");
  const bundle = join(
    cache,
    readdirSync(cache).find((name) => name.endsWith(".mjs"))!,
  );
  writeFileSync(
    bundle,
    readFileSync(bundle, "utf8").replace("project(() =>", "project(() => process.exit(77) ||"),
  );
  writeFileSync(
    join(root, "settings.ini"),
    textOf(root, "settings.ini").replace("group = one", "group = three"),
  );
  const { exit, stderr } = built(root, "--force");
  assert.is(exit, 0, stderr);
});

const isRoot = process.getuid?.() === 0;

testWhere(
  test,
  isRoot ? undefined : "needs root",
  "root runs a project of somebody else's and says so; a group in which nobody else is may write",
  () => {
    const root = projectOf(DOFILE, FILES);
    for (const name of [".", ...CODE]) {
      chownSync(join(root, name), 12_345, 12_345);
    }
    const { exit, stderr } = built(root);
    assert.is(exit, 0, stderr);
    assert.match(stderr, "runs as root what user 12345 can change");
    chownSync(join(root, "Dofile.ts"), 54_321, 0);
    assert.match(
      built(root, "--force").stderr,
      "Dofile.ts: error DP248: its owner, user 54321, can write this file",
    );
    chownSync(join(root, "Dofile.ts"), 0, 0);
    chmodSync(join(root, "Dofile.ts"), 0o664);
    assert.is(built(root).exit, 0);
    chownSync(join(root, "Dofile.ts"), 0, 54_321);
    assert.match(built(root, "--force").stderr, "Dofile.ts: error DP248: group 54321 can write this file");
  },
);

/** A mount on which every file may be written by everybody, and chmod does nothing. */
function modeless(): string | undefined {
  const [source, disk] = [tempFolder("source"), tempFolder("modeless")];
  const { status } = spawnSync("bindfs", ["-p", "a=rwX", "--chmod-ignore", source, disk]);
  return status === 0 ? disk : undefined;
}

const disk = isRoot ? modeless() : undefined;

testWhere(
  test,
  disk === undefined ? "needs root, bindfs and FUSE" : undefined,
  "where the file system keeps no modes it is said, and not refused",
  () => {
    try {
      for (const [name, text] of Object.entries({ ...FILES, "Dofile.ts": DOFILE })) {
        put(disk!, name, text);
      }
      put(disk!, "settings.ini", textOf(projectOf(DOFILE), "settings.ini"));
      const { exit, stderr } = built(disk!);
      assert.is(exit, 0, stderr);
      assert.match(stderr, "this file system keeps no modes");
    } finally {
      spawnSync("umount", [disk!]);
    }
  },
);

test.run();

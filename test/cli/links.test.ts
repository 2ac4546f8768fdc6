// Links in places where something is removed or read: nothing happens behind them (A15).
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, PLAIN, ran, type Ended } from "../support/bin.ts";
import { projectOf, put, textOf } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";

const DOFILE = `import { file, project, rule } from "dospesos";
export default project(() => [
  rule({ target: "out/a.txt", needs: { source: file("src/a.txt") }, recipe: ({ source }) => source.text }),
  rule({ target: "made/b.txt", recipe: (_, { render }) => render("templates/b.txt.njk", {}) }),
]);
`;

function project(): { root: string; dospesos: (...words: string[]) => Ended } {
  const root = projectOf(DOFILE, {
    "src/a.txt": "source\n",
    "templates/b.txt.njk": "{% include './part.txt.njk' %}",
    "templates/part.txt.njk": "part\n",
    ".gitignore": "out/\nmade/\n.dospesos/\n",
  });
  return { root, dospesos: (...words) => ran(root, process.execPath, [BIN, ...words], PLAIN) };
}

test("a .dospesos that is a link is refused by every command, and what it leads to is not touched", () => {
  const { root, dospesos } = project();
  const elsewhere = tempFolder("elsewhere");
  put(elsewhere, "cache/mine.txt", "mine\n");
  symlinkSync(elsewhere, join(root, ".dospesos"));
  for (const words of [["build"], ["build", "-n"], ["clean"], ["status"], ["why", "out/a.txt"], ["list"]]) {
    const { exit, stderr } = dospesos(...words);
    assert.is(exit, 4, `${words.join(" ")}: ${stderr}`);
    assert.match(stderr, ".dospesos: error DP304: the folder of the engine's state is a link");
  }
  assert.is(textOf(elsewhere, "cache/mine.txt"), "mine\n");
  rmSync(join(root, ".dospesos"));
  assert.is(dospesos("build").exit, 0);
});

test("a folder of targets that became a link to a folder of sources: neither clean nor a rule that goes removes a source", () => {
  const { root, dospesos } = project();
  assert.is(dospesos("build").exit, 0);
  renameSync(join(root, "out"), join(root, "before"));
  symlinkSync("src", join(root, "out"));
  const cleaned = dospesos("clean");
  assert.is(cleaned.exit, 0, cleaned.stderr);
  assert.is(textOf(root, "src/a.txt"), "source\n");
  assert.match(cleaned.stderr, "left      out/a.txt: a link leads its folder elsewhere");
  assert.not(existsSync(join(root, "made/b.txt")));

  rmSync(join(root, "out"));
  assert.is(dospesos("build").exit, 0);
  rmSync(join(root, "out"), { recursive: true });
  symlinkSync("src", join(root, "out"));
  writeFileSync(join(root, "Dofile.ts"), DOFILE.replace(/^ {2}rule\(\{ target: "out.*\n/m, ""));
  const built = dospesos("build");
  assert.is(built.exit, 0, built.stderr);
  assert.is(textOf(root, "src/a.txt"), "source\n");
  assert.match(built.stderr, "it stays, since a link leads its folder elsewhere");
});

test("clean leaves what was edited by hand since it was built, and says so", () => {
  const { root, dospesos } = project();
  assert.is(dospesos("build").exit, 0);
  writeFileSync(join(root, "out/a.txt"), "edited\n");
  const { stderr } = dospesos("clean");
  assert.match(stderr, "left      out/a.txt: it was edited by hand");
  assert.is(textOf(root, "out/a.txt"), "edited\n");
  assert.not(existsSync(join(root, "made")));
});

test("an include that a link leads out of the project is refused; a link inside of it is followed", () => {
  const { root, dospesos } = project();
  const secret = join(tempFolder("elsewhere"), "secret.txt.njk");
  writeFileSync(secret, "secret\n");
  mkdirSync(join(root, "parts"));
  renameSync(join(root, "templates/part.txt.njk"), join(root, "parts/part.txt.njk"));
  symlinkSync("../parts/part.txt.njk", join(root, "templates/part.txt.njk"));
  assert.is(dospesos("build").exit, 0);
  assert.is(textOf(root, "made/b.txt"), "part\n");
  rmSync(join(root, "templates/part.txt.njk"));
  symlinkSync(secret, join(root, "templates/part.txt.njk"));
  const { exit, stderr } = dospesos("build");
  assert.is(exit, 2, stderr);
  assert.match(stderr, /templates\/b\.txt\.njk:1:\d+: error DP506: a link leads the include/);
  assert.is(textOf(root, "made/b.txt"), "part\n");
});

test.run();

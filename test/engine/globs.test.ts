// Prerequisites that are found by a pattern.
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { TestProject } from "./project.ts";

const LIST = `return [rule({ target: "out/list", needs: { all: glob("in/**/*.txt") }, recipe: ({ all }) => all.map((one) => one.path + "=" + one.text).join("\\n") })];`;

test("a glob runs what needs it when a match comes, goes, is renamed, becomes a folder, or lies in a new folder (trap 30)", async () => {
  const project = new TestProject(LIST, { "in/a.txt": "a" });
  await project.build();
  await project.settled();
  const steps: [string, () => void, boolean][] = [
    ["added", () => project.write("in/b.txt", "b"), true],
    ["not matching", () => project.write("in/b.md", "b"), false],
    ["dotfile", () => project.write("in/.c.txt", "c"), false],
    ["in a new folder", () => project.write("in/deep/er/d.txt", "d"), true],
    [
      "renamed",
      () => {
        project.write("in/e.txt", project.text("in/b.txt"));
        project.remove("in/b.txt");
      },
      true,
    ],
    ["removed", () => project.remove("in/e.txt"), true],
    [
      "a folder now",
      () => {
        project.remove("in/a.txt");
        project.write("in/a.txt/x.md", "");
      },
      true,
    ],
    ["content", () => project.write("in/deep/er/d.txt", "dd"), true],
    [
      "the folder renamed",
      () => {
        project.write("in/other/d.txt", "dd");
        project.remove("in/deep");
        project.remove("in/deep/er/d.txt");
      },
      true,
    ],
  ];
  for (const [name, change, runs] of steps) {
    change();
    assert.is(project.nothingToDo(), false, name);
    assert.equal((await project.build()).ran, runs ? ["out/list"] : [], name);
    await project.settled();
  }
});

test("outputs in the folder that a glob searches are no matches, so the build ends and the next one has nothing to do (trap 30)", async () => {
  for (const pattern of ["*.txt", "**/*.txt"]) {
    const project = new TestProject(
      `
      const copies = find("${pattern}").map((name) => rule({ target: "copy-of-" + name.replaceAll("/", "-"), needs: { one: file(name) }, recipe: ({ one }) => one.text }));
      return [...copies, rule({ target: "all.txt", needs: { all: glob("${pattern}") }, recipe: ({ all }) => all.map((one) => one.path).join() })];
    `,
      { "a.txt": "a", "b.txt": "b" },
    );
    await project.build();
    assert.is(project.text("all.txt"), "a.txt,b.txt");
    await project.settled();
    project.write("c.txt", "c");
    // The list can be closed over by every recipe that was declared after it.
    assert.equal((await project.build()).ran, ["all.txt", "copy-of-a.txt", "copy-of-b.txt", "copy-of-c.txt"]);
    await project.settled();
    project.remove("a.txt");
    assert.equal((await project.build()).removed, ["copy-of-a.txt"]);
    await project.settled();
  }
});

test("a leftover of a rule that is gone is no match of the new graph's globs (trap 30)", async () => {
  const project = new TestProject(`return [rule({ target: "pages/old.md", recipe: () => "old" })];`);
  await project.build();
  project.dofile(
    `return find("pages/*.md").map((name) => rule({ target: name + ".html", needs: { page: file(name) }, recipe: ({ page }) => page.text }));`,
  );
  project.write("pages/new.md", "new");
  const outcome = await project.build();
  assert.equal([outcome.removed, outcome.ran], [["pages/old.md"], ["pages/new.md.html"]]);
  await project.settled();
});

test("a glob that nobody asks any more keeps nothing from being fresh", async () => {
  const project = new TestProject(LIST, { "in/a.txt": "a" });
  await project.build();
  project.dofile(`return [rule({ target: "out/list", recipe: () => "none" })];`);
  await project.build();
  project.write("in/b.txt", "b");
  await project.settled();
});

test("a folder that a glob searched and that became a file, or went away, is noticed", async () => {
  const project = new TestProject(LIST, { "in/a.txt": "a", "in/sub/b.txt": "b" });
  await project.build();
  project.remove("in/sub");
  project.remove("in/sub/b.txt");
  assert.equal((await project.build()).ran, ["out/list"]);
  await project.settled();
  project.remove("in/a.txt");
  rmSync(project.path("in"), { recursive: true });
  assert.equal((await project.build()).ran, ["out/list"]);
  await project.settled();
  project.write("in/c.txt", "c");
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).ran, ["out/list"]);
  await project.settled();
  renameSync(project.path("in"), project.path("aside"));
  symlinkSync("aside", project.path("in"));
  assert.equal((await project.build()).failed, []);
  assert.is(project.text("out/list"), "in/c.txt=c");
  unlinkSync(project.path("in"));
  mkdirSync(project.path("in"));
  await project.build();
  assert.is(project.text("out/list"), "");
});

test("links that lead to a folder above them end a glob's search there (trap 34)", async () => {
  const project = new TestProject(
    `return [rule({ target: "out/all", recipe: (_, { glob }) => glob("in/**").map((one) => one.path).join() })];`,
    { "in/a/b/c": "c" },
  );
  for (const name of ["in/a/up", "in/a/again", "in/a/b/top", "in/a/b/twice"]) {
    project.link("..", name);
  }
  assert.equal((await project.build()).problems, []);
  assert.match(project.text("out/all"), "in/a/b/c");
  project.write("in/a/b/d", "d");
  assert.equal((await project.build()).ran, ["out/all"]);
  await project.settled();
});

test("a match whose name is not UTF-8 is named, not left out in silence (A18)", () => {
  const project = new TestProject(LIST, { "in/a.txt": "a" });
  writeFileSync(
    Buffer.concat([Buffer.from(project.path("in/caf")), Buffer.from([0xe9]), Buffer.from(".txt")]),
    "x",
  );
  const { code, err } = project.run(["build"]);
  assert.is(code, 2, err);
  assert.match(err, /in\/caf\S+: error DP251: the name of this file is not UTF-8/);
});

test.run();

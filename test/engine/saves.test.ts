// Saves that leave as little as possible to see in a file's stat, right after a build.
import { execFileSync } from "node:child_process";
import { linkSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { testWith } from "../support/tools.ts";
import { TestProject } from "./project.ts";

async function built(): Promise<TestProject> {
  const project = new TestProject(
    `return [rule({ target: "out/upper", needs: { source: file("source") }, recipe: ({ source }) => source.text.toUpperCase() })];`,
    { source: "abc" },
  );
  assert.equal((await project.build()).ran, ["out/upper"]);
  return project;
}

/**
 * Half of the builds are not asked first what they would do: they follow the save, and the next save follows
 * them, as closely as can be.
 */
for (const method of ["build", "buildAtOnce"] as const) {
  const asked = method === "build" ? "told and then built" : "built at once";
  test(`a file edited in place to another content of the same size right after a build is built again, ${asked}, 500 times of 500 (traps 1, 4)`, async () => {
    const files = Array.from({ length: 250 }, (_, index) => `in/${index}`);
    const project = new TestProject(
      `
      return find("in/*").map((name) => rule({ target: "out/" + name.slice(3), needs: { source: file(name) }, recipe: ({ source }) => source.text }));
    `,
      Object.fromEntries(files.map((name) => [name, "0000"])),
    );
    await project[method]();
    for (const round of [1, 2]) {
      for (const name of files) {
        const { atime, mtime } = statSync(project.path(name));
        project.write(name, `000${round}`);
        // Every other save puts the old mtime back, as `cp -p` and `rsync -t` do.
        if (Number(name.slice(3)) % 2 === 1) {
          utimesSync(project.path(name), atime, mtime);
        }
      }
      assert.is(project.nothingToDo(), false);
      assert.is((await project[method]()).ran.length, files.length, "0 missed");
    }
    await project.settled();
  });

  test(`a single edit that follows a build at once is seen by the nothing-to-do path and by the build, ${asked} (traps 1, 4)`, async () => {
    const project = await built();
    for (let round = 0; round < 8; round++) {
      const text = String(round).padStart(3, "0");
      const { atime, mtime } = statSync(project.path("source"));
      project.write("source", text);
      if (round % 2 === 1) {
        utimesSync(project.path("source"), atime, mtime);
      }
      assert.is(project.nothingToDo(), false);
      await project[method]();
      assert.is(project.text("out/upper"), text);
    }
    await project.settled();
  });

  test(`a save by a temporary file and a rename, of the same size, is built again, ${asked} (trap 2)`, async () => {
    const project = await built();
    for (let round = 10; round < 20; round++) {
      const { atime, mtime } = statSync(project.path("source"));
      project.tamper("source.tmp", `1${round}`);
      if (round % 2 === 1) {
        utimesSync(project.path("source.tmp"), atime, mtime);
      }
      renameSync(project.path("source.tmp"), project.path("source"));
      assert.is(project.nothingToDo(), false);
      await project[method]();
      assert.is(project.text("out/upper"), `1${round}`);
    }
    await project.settled();
  });

  test(`two such saves in a row, after which the inode number is the old one again, are built again, ${asked} (trap 3)`, async () => {
    const project = await built();
    for (let round = 10; round < 20; round++) {
      const { atime, mtime, ino } = statSync(project.path("source"));
      // The link keeps the inode: the second save writes into it what is renamed over the first one.
      linkSync(project.path("source"), project.path("kept"));
      project.tamper("source.tmp", "xyz");
      renameSync(project.path("source.tmp"), project.path("source"));
      project.tamper("kept", `2${round}`);
      renameSync(project.path("kept"), project.path("source"));
      if (round % 2 === 1) {
        utimesSync(project.path("source"), atime, mtime);
      }
      assert.is(statSync(project.path("source")).ino, ino);
      assert.is(project.nothingToDo(), false);
      await project[method]();
      assert.is(project.text("out/upper"), `2${round}`);
    }
    await project.settled();
  });
}

/**
 * Programs that put a file there with an old mtime: rsync -t does what mv does here. `other` is a file with
 * the new content and the mtime of the source.
 */
const TOOLS: Record<string, readonly (readonly string[])[]> = {
  touch: [
    ["sh", "-c", "cat other > source"],
    ["touch", "-r", "other", "source"],
  ],
  cp: [["cp", "-p", "other", "source"]],
  tar: [
    [
      "sh",
      "-c",
      "mkdir -p aside && cp -p other aside/source && tar -cf aside.tar -C aside source && tar -xpf aside.tar && rm -r aside aside.tar",
    ],
  ],
  mv: [["sh", "-c", "cp -p other source.new && mv source.new source"]],
};

for (const [tool, commands] of Object.entries(TOOLS)) {
  testWith(
    test,
    [tool],
    `a file of the same size that ${tool} put there with the old mtime is built again (trap 4)`,
    async () => {
      const project = await built();
      for (const text of ["one", "two"]) {
        const { atime, mtime, mtimeMs } = statSync(project.path("source"));
        writeFileSync(project.path("other"), text);
        utimesSync(project.path("other"), atime, mtime);
        for (const [program, ...words] of commands) {
          execFileSync(program!, words, { cwd: project.root });
        }
        rmSync(project.path("other"));
        assert.is(Math.trunc(statSync(project.path("source")).mtimeMs / 1000), Math.trunc(mtimeMs / 1000));
        assert.equal((await project.build()).ran, ["out/upper"]);
        assert.is(project.text("out/upper"), text.toUpperCase());
      }
      project.write("source", "end");
      await project.build();
      await project.settled();
    },
  );
}

test.run();

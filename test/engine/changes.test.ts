import { execFileSync } from "node:child_process";
import {
  chownSync,
  closeSync,
  copyFileSync,
  cpSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { passed, TICK } from "../../lib/engine/disk/ticks.ts";
import { testWith } from "../support/tools.ts";
import { builtChain } from "./chain.ts";
import { TestProject } from "./project.ts";

test("touching a file runs nothing, and the run after that trusts its stat again (trap 5)", async () => {
  const project = await builtChain();
  project.touch("source", 1_000_000_000);
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).ran, []);
  await project.settled();
});

test("an older content with an older mtime is built again, and so is the way back (traps 6, 7)", async () => {
  const project = await builtChain();
  copyFileSync(project.path("source"), project.path("kept"));
  project.write("source", "older");
  project.touch("source", 900_000_000);
  assert.equal((await project.build()).reasons["out/upper"], [
    { kind: "file", path: "source", change: "changed" },
  ]);
  renameSync(project.path("kept"), project.path("source"));
  await project.build();
  assert.is(project.text("out/upper"), "ABC");
  await project.settled();
});

test("a change that is taken back before the next build runs nothing (trap 7)", async () => {
  const project = await builtChain();
  project.write("source", "something else");
  project.write("source", "abc");
  assert.equal((await project.build()).ran, []);
  await project.settled();
});

test("the mode and the owner of a source run nothing; the mode that a rule asked for is put right (trap 8)", async () => {
  const project = new TestProject(
    `
    const key = rule({ target: "out/key", mode: 0o600, needs: { source: file("source") }, recipe: ({ source }) => source.text });
    return [key, rule({ target: "out/plain", needs: { key }, recipe: ({ key }) => key.text })];
  `,
    { source: "abc" },
  );
  await project.build();
  project.chmod("source", 0o600);
  assert.equal((await project.build()).ran, []);
  await project.settled();
  // The owner that it has already still moves its ctime; root can give it another one.
  chownSync(project.path("source"), process.getuid!() === 0 ? 65534 : process.getuid!(), process.getgid!());
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).ran, []);
  await project.settled();
  project.chmod("out/key", 0o644);
  const second = await project.build();
  assert.equal(second.ran, ["out/key"]);
  assert.equal(second.reasons["out/key"], [{ kind: "mode", path: "out/key", from: "600", to: "644" }]);
  assert.is(statSync(project.path("out/key")).mode & 0o777, 0o600);
  await project.settled();
});

test("an empty file, a missing one and a folder of that name are three states (trap 12)", async () => {
  const project = new TestProject(`
    return [rule({ target: "out/state", recipe: (_, { readIfExists }) => { const found = readIfExists("source"); return found === undefined ? "missing" : "size " + found.bytes.length; } })];
  `);
  await project.build();
  assert.is(project.text("out/state"), "missing");
  await project.settled();
  project.write("source", "");
  assert.equal((await project.build()).reasons["out/state"], [
    { kind: "file", path: "source", change: "appeared" },
  ]);
  assert.is(project.text("out/state"), "size 0");
  await project.settled();
  project.remove("source");
  mkdirSync(project.path("source"));
  const third = await project.build();
  assert.equal(third.failed, ["out/state"]);
  assert.is(third.problems[0]?.location?.file, "source");
  assert.match(third.problems[0]?.what ?? "", "this is a folder");
  rmSync(project.path("source"), { recursive: true });
  assert.equal((await project.build()).ran, ["out/state"]);
  await project.settled();
});

testWith(
  test,
  ["git"],
  "git checkout of an older commit, of a branch and back builds what changed, and nothing where nothing did (traps 6, 7)",
  async () => {
    const project = await builtChain();
    const git = (...words: string[]): void =>
      void execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@localhost", ...words], {
        cwd: project.root,
        stdio: "pipe",
      });
    project.write(".gitignore", "out/\n.dospesos/\n");
    git("init", "-q", "-b", "main");
    for (const text of ["abc", "later"]) {
      project.write("source", text);
      git("add", "-A");
      git("commit", "-qm", text);
    }
    await project.build();
    git("checkout", "-q", "HEAD~1");
    // As a checkout that keeps the dates of the commits.
    project.touch("source", 900_000_000);
    assert.equal((await project.build()).ran, ["out/twice", "out/upper"]);
    assert.is(project.text("out/upper"), "ABC");
    git("checkout", "-q", "main");
    git("checkout", "-q", "HEAD~1");
    assert.equal((await project.build()).ran, []);
    assert.is(project.text("out/upper"), "ABC");
    assert.is(project.nothingToDo(), true);
  },
);

test("an input of more than 2 GiB is hashed in pieces, and a change in it is found (trap 13)", async () => {
  const project = new TestProject(
    `return [rule({ target: "out/one", needs: { big: file("big") }, recipe: ({ big }) => big.path })];`,
  );
  const file = openSync(project.path("big"), "w");
  // A file of holes takes no space; no Node reads so much at once.
  ftruncateSync(file, 2 ** 31 + 2 ** 20);
  await passed(TICK);
  const before = process.memoryUsage().rss;
  assert.equal((await project.buildAtOnce()).ran, ["out/one"]);
  assert.ok(process.memoryUsage().rss - before < 64 << 20, "memory stays flat");
  assert.is(project.nothingToDo(), true);
  // From here on less does: it is still more than is read at once.
  for (const change of [() => ftruncateSync(file, 100 << 20), () => void writeSync(file, "x", 90 << 20)]) {
    change();
    assert.is(project.nothingToDo(), false);
    assert.equal((await project.build()).ran, ["out/one"]);
  }
  closeSync(file);
  assert.is(project.nothingToDo(), true);
  rmSync(project.path("big"));
});

test("a project that was copied elsewhere with its state, as a CI cache does, runs nothing (trap 54)", async () => {
  const project = await builtChain();
  const copy = new TestProject("return [];");
  cpSync(project.root, copy.root, { recursive: true, force: true });
  const second = await project.build([], {}, copy.root);
  assert.equal([second.ran, second.fresh], [[], ["out/twice", "out/upper"]]);
});

test("content that moves between two files is a change (trap 39)", async () => {
  const project = new TestProject(
    `return [rule({ target: "out/both", needs: { all: glob("in/*") }, recipe: ({ all }) => all.map((one) => one.text).join("|") })];`,
    { "in/a": "ab", "in/b": "c" },
  );
  await project.build();
  project.write("in/a", "a");
  project.write("in/b", "bc");
  assert.equal((await project.build()).ran, ["out/both"]);
  assert.is(project.text("out/both"), "a|bc");
  await project.settled();
});

test("a source that is edited after the build looked at it and before its step reads it is built again by the next run (trap 49)", async () => {
  const project = new TestProject(
    `
    const early = rule({ target: "out/early", recipe: (_, { root }) => { writeFileSync(root + "/source", "new"); return ""; } });
    return [rule({ target: "out/late", needs: { early, source: file("source") }, recipe: ({ source }) => source.text })];
  `,
    { source: "old" },
    `import { writeFileSync } from "node:fs";`,
  );
  await project.build();
  const seen = project.text("out/late");
  // Whichever of the two it read, the record is of that one.
  const runs = seen === "old" ? ["out/late"] : [];
  assert.is(project.nothingToDo(), runs.length === 0);
  assert.equal((await project.build()).ran, runs);
  assert.is(project.text("out/late"), "new");
  assert.is(project.nothingToDo(), true);
});

test("a source that is edited while its step runs is built again by the next run (trap 49)", async () => {
  const project = new TestProject(
    `
    return [rule({ target: "out/one", needs: { source: file("source") }, recipe: ({ source }, { root }) => {
      const seen = source.text;
      if (seen === "old") writeFileSync(root + "/source", "new");
      return seen;
    } })];
  `,
    { source: "old" },
    `import { writeFileSync } from "node:fs";`,
  );
  await project.build();
  assert.is(project.text("out/one"), "old");
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).ran, ["out/one"]);
  assert.is(project.text("out/one"), "new");
  await project.settled();
});

test.run();

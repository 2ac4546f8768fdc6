import { closeSync, copyFileSync, cpSync, ftruncateSync, mkdirSync, openSync, renameSync, rmSync, statSync, utimesSync, writeSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { passTick } from "../../lib/engine/observe.ts";
import { TestProject } from "./project.ts";

/** Two steps in a row from one source. */
const COPY = `
  const upper = rule({ target: "out/upper", needs: { source: file("source") }, recipe: ({ source }) => source.text.toUpperCase() });
  const twice = rule({ target: "out/twice", needs: { upper }, recipe: ({ upper }) => upper.text + upper.text });
  return [twice];
`;

async function built(): Promise<TestProject> {
  const project = new TestProject(COPY, { source: "abc" });
  assert.equal((await project.build()).ran, ["out/twice", "out/upper"]);
  return project;
}

test("a file edited in place to another content of the same size right after a build is built again, 1000 times of 1000 (traps 1, 4)", async () => {
  const files = Array.from({ length: 250 }, (_, index) => `in/${index}`);
  const project = new TestProject(`
    return find("in/*").map((name) => rule({ target: "out/" + name.slice(3), needs: { source: file(name) }, recipe: ({ source }) => source.text }));
  `, Object.fromEntries(files.map((name) => [name, "0000"])));
  await project.build();
  for (let round = 1; round <= 4; round++) {
    for (const name of files) {
      const { atime, mtime } = statSync(project.path(name));
      project.write(name, `000${round}`);
      // Every other save puts the old mtime back, as `cp -p` and `rsync -t` do.
      if (Number(name.slice(3)) % 2 === 1) utimesSync(project.path(name), atime, mtime);
    }
    assert.is(project.nothingToDo(), false);
    assert.is((await project.build()).ran.length, files.length, "0 missed");
  }
  await project.settled();
});

test("a single edit that follows a build at once is seen by the nothing-to-do path and by the build (traps 1, 4)", async () => {
  const project = await built();
  for (let round = 0; round < 8; round++) {
    const text = String(round).padStart(3, "0");
    const { atime, mtime } = statSync(project.path("source"));
    project.write("source", text);
    if (round % 2 === 1) utimesSync(project.path("source"), atime, mtime);
    assert.is(project.nothingToDo(), false);
    await project.build();
    assert.is(project.text("out/upper"), text);
  }
  await project.settled();
});

for (const [saves, trap] of [[1, 2], [2, 3]] as const) {
  test(`${saves === 1 ? "a save" : "two saves in a row"} by a temporary file and a rename, of the same size, builds again (trap ${trap})`, async () => {
    const project = await built();
    for (let round = 0; round < 4; round++) {
      const text = `${saves}${String(round).padStart(2, "0")}`;
      for (let save = 1; save <= saves; save++) {
        project.tamper("source.tmp", save === saves ? text : "xyz");
        renameSync(project.path("source.tmp"), project.path("source"));
      }
      assert.is(project.nothingToDo(), false);
      await project.build();
      assert.is(project.text("out/upper"), text);
    }
    await project.settled();
  });
}

test("an edit whose mtime was put back is built again (trap 4)", async () => {
  const project = await built();
  const { atime, mtime } = statSync(project.path("source"));
  project.write("source", "abd");
  utimesSync(project.path("source"), atime, mtime);
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).ran, ["out/twice", "out/upper"]);
  await project.settled();
});

test("touching a file runs nothing, and the run after that trusts its stat again (trap 5)", async () => {
  const project = await built();
  project.touch("source", 1_000_000_000);
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).ran, []);
  await project.settled();
});

test("an older content with an older mtime is built again, and so is the way back (traps 6, 7)", async () => {
  const project = await built();
  copyFileSync(project.path("source"), project.path("kept"));
  project.write("source", "older");
  project.touch("source", 900_000_000);
  assert.equal((await project.build()).reasons["out/upper"], [{ kind: "file", path: "source", change: "changed" }]);
  renameSync(project.path("kept"), project.path("source"));
  await project.build();
  assert.is(project.text("out/upper"), "ABC");
  await project.settled();
});

test("a change that is taken back before the next build runs nothing (trap 7)", async () => {
  const project = await built();
  project.write("source", "something else");
  project.write("source", "abc");
  assert.equal((await project.build()).ran, []);
  await project.settled();
});

test("the mode of a source runs nothing; the mode that a rule asked for is put right (trap 8)", async () => {
  const project = new TestProject(`
    const key = rule({ target: "out/key", mode: 0o600, needs: { source: file("source") }, recipe: ({ source }) => source.text });
    return [key, rule({ target: "out/plain", needs: { key }, recipe: ({ key }) => key.text })];
  `, { source: "abc" });
  await project.build();
  project.chmod("source", 0o600);
  assert.equal((await project.build()).ran, []);
  await project.settled();
  project.chmod("out/key", 0o644);
  const second = await project.build();
  assert.equal(second.ran, ["out/key"]);
  assert.equal(second.reasons["out/key"], [{ kind: "mode", path: "out/key", from: "600", to: "644" }]);
  assert.is(statSync(project.path("out/key")).mode & 0o777, 0o600);
  await project.settled();
});

test("mtimes of 1970, before it, and of 2100 are times like any other (trap 9)", async () => {
  const project = await built();
  for (const [seconds, text] of [[0, "x1"], [-86_400, "x2"], [4_102_444_800, "x3"]] as const) {
    project.write("source", text);
    project.touch("source", seconds);
    assert.equal((await project.build()).ran, ["out/twice", "out/upper"]);
    await project.settled();
  }
});

test("outputs dated in the future stay fresh, and an edit dated in the past is seen (trap 10)", async () => {
  const project = await built();
  for (const name of ["out/upper", "out/twice"]) project.touch(name, 4_000_000_000);
  assert.equal((await project.build()).ran, []);
  await project.settled();
  project.write("source", "new");
  project.touch("source", 1);
  assert.equal((await project.build()).ran, ["out/twice", "out/upper"]);
  await project.settled();
});

test("whole-second mtimes hide no edit (trap 11)", async () => {
  const project = await built();
  project.touch("source", 1_600_000_000);
  await project.build();
  for (const text of ["abd", "abe", "abf"]) {
    project.write("source", text);
    project.touch("source", 1_600_000_000);
    assert.is(project.nothingToDo(), false);
    await project.build();
    assert.is(project.text("out/upper"), text.toUpperCase());
  }
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
  assert.equal((await project.build()).reasons["out/state"], [{ kind: "file", path: "source", change: "appeared" }]);
  assert.is(project.text("out/state"), "size 0");
  await project.settled();
  project.remove("source");
  mkdirSync(project.path("source"));
  const third = await project.build();
  assert.equal(third.failed, ["out/state"]);
  assert.is(third.problems[0]?.place?.file, "source");
  assert.match(third.problems[0]?.what ?? "", "this is a folder");
  rmSync(project.path("source"), { recursive: true });
  assert.equal((await project.build()).ran, ["out/state"]);
  await project.settled();
});

test("a large input is hashed in pieces, and a change in it is found (trap 13)", async () => {
  const project = new TestProject(`return [rule({ target: "out/one", needs: { big: file("big") }, recipe: ({ big }) => big.path })];`);
  const file = openSync(project.path("big"), "w");
  ftruncateSync(file, 128 << 20);
  await passTick();
  const before = process.memoryUsage().rss;
  assert.equal((await project.build()).ran, ["out/one"]);
  assert.ok(process.memoryUsage().rss - before < 64 << 20, "memory stays flat");
  assert.is(project.nothingToDo(), true);
  writeSync(file, "x", 100 << 20);
  closeSync(file);
  assert.equal((await project.build()).ran, ["out/one"]);
  rmSync(project.path("big"));
});

test("a project that was copied elsewhere with its state, as a CI cache does, runs nothing (trap 54)", async () => {
  const project = await built();
  const copy = new TestProject("return [];");
  cpSync(project.root, copy.root, { recursive: true, force: true });
  const second = await project.build([], {}, copy.root);
  assert.equal([second.ran, second.fresh], [[], ["out/twice", "out/upper"]]);
});

test("content that moves between two files is a change (trap 39)", async () => {
  const project = new TestProject(`return [rule({ target: "out/both", needs: { all: glob("in/*") }, recipe: ({ all }) => all.map((one) => one.text).join("|") })];`, { "in/a": "ab", "in/b": "c" });
  await project.build();
  project.write("in/a", "a");
  project.write("in/b", "bc");
  assert.equal((await project.build()).ran, ["out/both"]);
  assert.is(project.text("out/both"), "a|bc");
  await project.settled();
});

test("a source that is edited while its step runs is built again by the next run (trap 49)", async () => {
  const project = new TestProject(`
    return [rule({ target: "out/one", needs: { source: file("source") }, recipe: ({ source }, { root }) => {
      const seen = source.text;
      if (seen === "old") writeFileSync(root + "/source", "new");
      return seen;
    } })];
  `, { source: "old" }, `import { writeFileSync } from "node:fs";`);
  await project.build();
  assert.is(project.text("out/one"), "old");
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).ran, ["out/one"]);
  assert.is(project.text("out/one"), "new");
  await project.settled();
});

test.run();

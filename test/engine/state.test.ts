import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { checksum, FORMAT_VERSION, packColumns, unpackColumns } from "../../lib/engine/state/columns.ts";
import { digestOf } from "../../lib/engine/disk/digest.ts";
import { BELIEVED_SECTIONS } from "../../lib/engine/state/sections.ts";
import { readSnapshot, writeSnapshot } from "../../lib/engine/state/snapshot.ts";
import { loadState } from "../../lib/engine/state/store.ts";
import { stateOf, TestProject } from "./project.ts";

const BODY = `
  const value = fact({ name: "value", recipe: (_, { settings }) => ({ region: settings.aws.region }) });
  const text = rule({ target: "out/text", mode: 0o600, needs: { value, all: glob("in/*") }, recipe: ({ value, all }, { env, readIfExists }) => value.region + all.length + String(env("ENGINE_STATE")) + String(readIfExists("none")) });
  const marker = effect({ name: "the effect", target: "out/marker", needs: { text }, apply: async () => 1 });
  return [group("outer", [group("inner", [text]), marker]), rule({ target: "keys/key", precious: true, recipe: () => "key" })];
`;

async function built(): Promise<TestProject> {
  const project = new TestProject(BODY, { "in/a": "a", "in/b": "b" });
  assert.equal((await project.build()).problems, []);
  return project;
}

function snapshot(project: TestProject): Uint8Array {
  return new Uint8Array(readFileSync(project.path(".dospesos/snapshot")));
}

test("what nothing refers to any more is forgotten, and what was fresh stays so", async () => {
  const project = await built();
  const before = snapshot(project).length;
  const { state } = loadState(project.root);
  for (let old = 0; old < 5000; old++) {
    state.digest(digestOf(`old content ${old}`), `an old value ${old}`);
  }
  writeFileSync(project.path(".dospesos/snapshot"), writeSnapshot(state));
  assert.ok(snapshot(project).length > 10 * before);
  assert.ok(project.nothingToDo());
  project.write("in/a", "new content");
  assert.equal((await project.build()).ran, ["out/text"]);
  assert.ok(snapshot(project).length < 1.5 * before);
  await project.settled();
});

test("a snapshot that is read and written again is the same, byte for byte", async () => {
  const bytes = snapshot(await built());
  const state = readSnapshot(bytes);
  assert.ok(typeof state !== "string");
  const { settingsNode } = (await built()).open().state;
  state.settingsNode = settingsNode;
  assert.equal(writeSnapshot(state), bytes);
});

test("a snapshot that is cut or has a flipped bit anywhere is never taken for a good one (trap 53)", async () => {
  const bytes = snapshot(await built());
  for (let length = 0; length < bytes.length; length += 7) {
    assert.is(readSnapshot(bytes.slice(0, length)), "damaged", `cut at ${length}`);
  }
  for (let index = 0; index < bytes.length; index++) {
    bytes[index]! ^= 1 << (index % 8);
    assert.is(typeof readSnapshot(bytes), "string", `byte ${index}`);
    bytes[index]! ^= 1 << (index % 8);
  }
});

test("a damaged state is reported once, and everything is built again (traps 27, 53)", async () => {
  const project = await built();
  for (const bytes of [new Uint8Array(), new Uint8Array(100), snapshot(project).slice(0, -8)]) {
    writeFileSync(project.path(".dospesos/snapshot"), bytes);
    assert.is(project.nothingToDo(), false);
    const outcome = await project.build();
    assert.match(outcome.notes.join(), "damaged");
    assert.equal(outcome.ran, ["keys/key", "out/marker", "out/text", "value"]);
    await project.settled();
  }
});

test("a state of a newer version is refused and left as it is; one of an older version is built again (trap 27)", async () => {
  const project = await built();
  const sections = unpackColumns(snapshot(project), "all");
  assert.ok(typeof sections !== "string");
  for (const version of [FORMAT_VERSION + 1, FORMAT_VERSION - 1]) {
    // The container's checksum stands over the version, so another version is made by its own rules.
    const bytes = withVersion(packColumns(sections, BELIEVED_SECTIONS.length), version);
    writeFileSync(project.path(".dospesos/snapshot"), bytes);
    assert.is(project.nothingToDo(), false);
    const outcome = await project.build();
    if (version > FORMAT_VERSION) {
      assert.equal(
        outcome.problems.map((one) => one.code),
        ["DP301"],
      );
      assert.equal(snapshot(project), bytes);
    } else {
      assert.equal([outcome.problems, outcome.ran.length], [[], 4]);
      await project.settled();
    }
  }
});

test("deleting .dospesos costs one build and no data", async () => {
  const project = await built();
  project.tamper("keys/key", "my own");
  rmSync(project.path(".dospesos"), { recursive: true });
  await project.build();
  assert.is(project.nothingToDo(), true);
});

for (const change of ["nothing", "everything"]) {
  test(`status, why, list and --dry-run write nothing where ${change} changed (trap 48)`, async () => {
    const project = new TestProject(BODY, { "in/a": "a" });
    assert.is(project.run(["build"]).code, 0);
    if (change === "everything") {
      project.write("in/b", "b");
      project.write(
        "Dofile.ts",
        project
          .text("Dofile.ts")
          .replace("return [", `return [rule({ target: "out/new", recipe: () => "" }), `),
      );
      project.setting("eu-west-1", "us-east-1");
      project.tamper("out/text", "mine");
    }
    const before = stateOf(project.root);
    for (const words of [["status"], ["why", "out/text"], ["build", "--dry-run"], ["list"]]) {
      const run = project.run(words);
      assert.is(run.code, words[0] === "status" && change !== "nothing" ? 1 : 0, run.err);
      assert.equal(stateOf(project.root), before, words.join(" "));
    }
  });
}

test("status and --dry-run in a project that was never built make no file and no folder (trap 48)", async () => {
  const project = new TestProject(BODY);
  const before = stateOf(project.root);
  for (const words of [["status"], ["build", "--dry-run"]]) {
    assert.is(project.run(words).code, words[0] === "status" ? 1 : 0);
    assert.equal(stateOf(project.root), before, words.join(" "));
  }
});

test("what a dry run tells is what the build then runs, or may run", async () => {
  const project = await built();
  project.setting("eu-west-1", "us-east-1");
  project.write("in/c", "c");
  const told = await project.explain();
  const stale = told
    .filter((one) => one.freshness === "stale")
    .map((one) => one.target)
    .sort();
  const unknown = told.filter((one) => one.freshness === "unknown").map((one) => one.target);
  const { ran } = await project.build();
  assert.ok(stale.every((target) => ran.includes(target)));
  assert.ok(ran.every((target) => stale.includes(target) || unknown.includes(target)));
});

test("the state does not grow with builds that come back to what was", async () => {
  const project = await built();
  const sizes = [];
  for (let round = 0; round < 4; round++) {
    project.write("in/a", round % 2 === 0 ? "other" : "a");
    project.write(`in/extra`, "x");
    await project.build();
    project.remove("in/extra");
    await project.build();
    sizes.push(snapshot(project).length);
  }
  assert.is(sizes[3], sizes[1]);
});

function withVersion(bytes: Uint8Array, version: number): Uint8Array {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  words[4] = version;
  words[2] = checksum(words, 4, words[7]! / 4);
  return bytes;
}

test.run();

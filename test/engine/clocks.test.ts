import fs, { renameSync, statSync, utimesSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { builtChain } from "./chain.ts";

test("mtimes of 1970, before it, and of 2100 are times like any other (trap 9)", async () => {
  const project = await builtChain();
  for (const [seconds, text] of [
    [0, "x1"],
    [-86_400, "x2"],
    [4_102_444_800, "x3"],
  ] as const) {
    project.write("source", text);
    project.touch("source", seconds);
    assert.equal((await project.build()).ran, ["out/twice", "out/upper"]);
    await project.settled();
  }
});

test("outputs dated in the future stay fresh, and an edit dated in the past is seen (trap 10)", async () => {
  const project = await builtChain();
  for (const name of ["out/upper", "out/twice"]) {
    project.touch(name, 4_000_000_000);
  }
  assert.equal((await project.build()).ran, []);
  await project.settled();
  project.write("source", "new");
  project.touch("source", 1);
  assert.equal((await project.build()).ran, ["out/twice", "out/upper"]);
  await project.settled();
});

test("whole-second mtimes hide no edit (trap 11)", async () => {
  const project = await builtChain();
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

/** Sets the clock of this process for the time of a body; the times of files stay those of the kernel. */
async function withClock(offset: number, body: () => Promise<void>): Promise<void> {
  const { now } = Date;
  Date.now = () => now() + offset;
  try {
    await body();
  } finally {
    Date.now = now;
  }
}

for (const [where, offset] of [
  ["back", -3_600_000],
  ["ahead", 3_600_000],
] as const) {
  test(`a clock that was set ${where} an hour since the last build: a build of what did not change runs nothing, and edits are seen (trap 10)`, async () => {
    const project = await builtChain();
    assert.is(project.nothingToDo(), true);
    await withClock(offset, async () => {
      assert.is(project.nothingToDo(), true);
      assert.equal((await project.build()).ran, []);
      for (const text of ["new", "old", "two"]) {
        project.write("source", text);
        assert.is(project.nothingToDo(), false);
        assert.equal((await project.build()).ran, ["out/twice", "out/upper"]);
        assert.is(project.text("out/upper"), text.toUpperCase());
        assert.equal((await project.build()).ran, []);
      }
    });
    assert.equal((await project.build()).ran, []);
    await project.settled();
  });
}

/**
 * Makes this process see all times of files as a file system keeps them that knows only every so many-th
 * second.
 */
async function withCoarseTimes(seconds: bigint, body: () => Promise<void>): Promise<void> {
  const calls = { statSync: fs.statSync, lstatSync: fs.lstatSync, fstatSync: fs.fstatSync };
  const step = seconds * 1_000_000_000n;
  for (const [name, call] of Object.entries(calls)) {
    const coarse = (...args: unknown[]): unknown => {
      const stat = (call as (...args: unknown[]) => Record<string, bigint> | undefined)(...args);
      if (typeof stat?.["mtimeNs"] !== "bigint") {
        return stat;
      }
      for (const time of ["mtime", "ctime", "atime", "birthtime"]) {
        stat[`${time}Ns`] = (stat[`${time}Ns`]! / step) * step;
        stat[`${time}Ms`] = stat[`${time}Ns`]! / 1_000_000n;
      }
      return stat;
    };
    Object.assign(fs, { [name]: coarse });
  }
  syncBuiltinESMExports();
  try {
    await body();
  } finally {
    Object.assign(fs, calls);
    syncBuiltinESMExports();
  }
}

for (const seconds of [1n, 2n]) {
  test(`on a file system that knows only every ${seconds === 1n ? "" : "other "}second saves of the same size are seen, in place, by rename, twice, with the old mtime (trap 11)`, async () => {
    const project = await builtChain();
    await withCoarseTimes(seconds, async () => {
      await project.build();
      const path = project.path("source");
      const saves: Record<string, (text: string) => void> = {
        "in place": (text) => project.write("source", text),
        "by rename": (text) => {
          project.tamper("source.tmp", text);
          renameSync(project.path("source.tmp"), path);
        },
        "twice by rename": (text) => {
          for (const one of ["xyz", text]) {
            saves["by rename"]!(one);
          }
        },
        "with the old mtime": (text) => {
          const { atime, mtime } = statSync(path);
          project.write("source", text);
          utimesSync(path, atime, mtime);
        },
      };
      let round = 100;
      for (const method of ["build", "buildAtOnce"] as const) {
        for (const [how, save] of Object.entries(saves)) {
          for (let time = 0; time < 3; time++) {
            save(String(++round));
            assert.is(project.nothingToDo(), false, how);
            await project[method]();
            assert.is(project.text("out/upper"), String(round), how);
            assert.equal((await project[method]()).ran, [], how);
          }
        }
      }
      // What was built within the same second may be edited by hand within it, too.
      project.tamper("out/upper", "99!");
      assert.equal((await project.build()).ran, ["out/upper"]);
    });
    await project.build();
    await project.settled();
  });
}

test.run();

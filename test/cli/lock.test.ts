import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, dospesos, PLAIN, ran, start, Started } from "../support/bin.ts";
import { projectOf, put, textOf } from "../support/folder.ts";
import { testInOwn, unshared } from "../support/namespaces.ts";
import { torture } from "../support/random.ts";
import { buildAsTold } from "../support/told.ts";

/**
 * Recipes append their names to `ran`; the first one tells "holding" and waits while there is a file `hold`.
 */
const DOFILE = `import { appendFileSync, existsSync, watch } from "node:fs";
import { file, project, rule } from "dospesos";
export default project(() => Array.from({ length: 5 }, (_, n) => rule({ target: "out/" + n, needs: { source: file("source.txt") }, recipe: async ({ source }, { root, signal }) => {
  appendFileSync(root + "/ran", n + "\\n");
  if (n === 0 && existsSync(root + "/hold")) {
    await new Promise<void>((resolve) => {
      const watcher = watch(root, () => {
        if (existsSync(root + "/hold")) return;
        watcher.close();
        resolve();
      });
      process.stderr.write("holding\\n");
      signal.addEventListener("abort", () => { watcher.close(); resolve(); });
    });
  }
  return n + source.text;
} })));
`;

function project(): string {
  return projectOf(DOFILE, { "source.txt": "one\n" });
}

function ranIn(root: string): string[] {
  return existsSync(join(root, "ran")) ? textOf(root, "ran").trim().split("\n").sort() : [];
}

test("of two builds that start together both exit 0 and every recipe runs once (trap 50)", async () => {
  const root = project();
  const [one, two] = await Promise.all([start(root, "build").end(), start(root, "build").end()]);
  assert.equal([one.exit, two.exit], [0, 0], one.stderr + two.stderr);
  assert.equal(ranIn(root), ["0", "1", "2", "3", "4"]);
});

test("of two builds of different targets that start together both exit 0, and each makes its own (trap 50)", async () => {
  const root = project();
  const [one, two] = await Promise.all([
    start(root, "build", "out/0", "out/1").end(),
    start(root, "build", "out/1", "out/2").end(),
  ]);
  assert.equal([one.exit, two.exit], [0, 0], one.stderr + two.stderr);
  assert.equal(ranIn(root), ["0", "1", "2"]);
  assert.equal(buildAsTold(root), ["out/3", "out/4"]);
  assert.equal(buildAsTold(root), []);
});

testInOwn(
  test,
  "processes",
  "another process with the process id of a killed holder is not taken for it (trap 50)",
  () => {
    const root = project();
    writeFileSync(join(root, "hold"), "");
    // A namespace of process ids of its own, where the next id can be chosen.
    const { stdout, stderr } = ran(root, "unshare", [
      ...unshared("processes"),
      "sh",
      "-c",
      `"$0" "$1" build -j 1 2> told & holder=$!
until grep -q holding told; do :; done
"$0" "$1" build --no-wait 2> refused; echo "while it holds: exit $?"
kill -9 $holder; wait $holder; rm hold
echo $((holder - 1)) > /proc/sys/kernel/ns_last_pid; sleep 60 & echo "same id: $holder $!"
"$0" "$1" build --no-wait; echo "after that: exit $?"`,
      process.execPath,
      BIN,
    ]);
    assert.match(stdout, /while it holds: exit 3\nsame id: (\d+) \1\nafter that: exit 0\n$/, stdout + stderr);
    assert.match(textOf(root, "refused"), /process \d+/);
    assert.equal(buildAsTold(root), []);
  },
);

test("who waits names the holder, its process and since when it works (trap 50)", async () => {
  const root = project();
  writeFileSync(join(root, "hold"), "");
  const holder = start(root, "build", "-j", "1");
  await holder.tells(/holding/);
  const second = start(root, "build");
  await second.tells(
    new RegExp(
      `works here: dospesos build -j 1 \\(process ${holder.child.pid}, since \\d\\d:\\d\\d:\\d\\d\\)`,
    ),
  );
  unlinkSync(join(root, "hold"));
  assert.equal([(await holder.end()).exit, (await second.end()).exit], [0, 0]);
  assert.equal(ranIn(root), ["0", "1", "2", "3", "4"]);
});

test("--no-wait exits 3 at once and names the holder (trap 50)", async () => {
  const root = project();
  writeFileSync(join(root, "hold"), "");
  const holder = start(root, "build", "-j", "1");
  await holder.tells(/holding/);
  for (const command of ["build", "clean"]) {
    const { exit, stderr } = dospesos(root, command, "--no-wait");
    assert.is(exit, 3);
    assert.match(
      stderr,
      new RegExp(`another run works here: dospesos build -j 1 \\(process ${holder.child.pid}`),
    );
  }
  unlinkSync(join(root, "hold"));
  assert.is((await holder.end()).exit, 0);
});

test("the lock of a killed holder is taken over at once, without a question (trap 50)", async () => {
  const root = project();
  writeFileSync(join(root, "hold"), "");
  const holder = start(root, "build", "-j", "1");
  await holder.tells(/holding/);
  const second = start(root, "build", "-j", "1");
  await second.tells(/works here/);
  const begin = performance.now();
  holder.kill("SIGKILL");
  await second.tells(/holding/, 0, 2000);
  console.error(
    `\nlock taken over and first recipe running ${Math.round(performance.now() - begin)} ms after kill -9 of the holder`,
  );
  unlinkSync(join(root, "hold"));
  assert.is((await second.end()).exit, 0);
});

test("a stopped holder keeps the lock: the second one waits, --no-wait exits 3, and both end well when it goes on (trap 50)", async () => {
  const root = project();
  writeFileSync(join(root, "hold"), "");
  const holder = start(root, "build", "-j", "1");
  await holder.tells(/holding/);
  holder.kill("SIGSTOP");
  const second = start(root, "build");
  await second.tells(/works here: dospesos build -j 1 \(process /);
  assert.is(dospesos(root, "build", "--no-wait").exit, 3);
  assert.equal(ranIn(root), ["0"]);
  unlinkSync(join(root, "hold"));
  holder.kill("SIGCONT");
  assert.equal([(await holder.end()).exit, (await second.end()).exit], [0, 0]);
  assert.equal(ranIn(root), ["0", "1", "2", "3", "4"]);
});

test("who waits for the lock ends at the first Ctrl-C", async () => {
  const root = project();
  writeFileSync(join(root, "hold"), "");
  const holder = start(root, "build", "-j", "1");
  await holder.tells(/holding/);
  for (const [command, signal, exit] of [
    ["build", "SIGINT", 130],
    ["watch", "SIGTERM", 143],
    ["clean", "SIGHUP", 129],
  ] as const) {
    const second = start(root, command);
    await second.tells(/works here/);
    second.kill(signal);
    const ended = await second.end(2000);
    assert.is(ended.exit, exit, command);
    assert.not.match(ended.stderr, /error/);
  }
  unlinkSync(join(root, "hold"));
  assert.is((await holder.end()).exit, 0);
});

test("eight processes that start again and again are never two in the project at a time (trap 50)", async () => {
  const dofile = `import { appendFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { file, project, rule } from "dospesos";
export default project(() => [rule({ target: "out", needs: { source: file("source.txt") }, recipe: async ({ source }, { root }) => {
  appendFileSync(root + "/holders", "in " + process.pid + "\\n");
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  appendFileSync(root + "/holders", "out " + process.pid + "\\n");
  return source.text;
} })]);
`;
  const root = projectOf(dofile, { "source.txt": "0" });
  const rounds = Math.ceil(10 * torture);
  for (let round = 0; round < rounds; round++) {
    put(root, "source.txt", String(round));
    const ends = await Promise.all(
      Array.from({ length: 8 }, () => start(root, "build", "--force").end(30_000)),
    );
    assert.equal(
      ends.map((one) => one.exit),
      Array(8).fill(0),
    );
  }
  const lines = textOf(root, "holders").trim().split("\n");
  assert.is(lines.length, rounds * 16);
  for (let index = 0; index < lines.length; index += 2) {
    assert.is(lines[index]!.replace("in", "out"), lines[index + 1]);
  }
});

testInOwn(test, "network", "the lock holds for a run in another network namespace (A3)", async () => {
  const root = project();
  writeFileSync(join(root, "hold"), "");
  const holder = new Started(root, "unshare", [
    ...unshared("network"),
    process.execPath,
    BIN,
    "build",
    "-j",
    "1",
  ]);
  await holder.tells(/holding/);
  const { exit, stderr } = dospesos(root, "build", "--no-wait");
  assert.is(exit, 3, stderr);
  assert.match(stderr, "another run works here: dospesos build -j 1 (process ");
  unlinkSync(join(root, "hold"));
  assert.is((await holder.end()).exit, 0);
});

test("nobody else can hold the lock, and what its file says of the holder cannot draw on a terminal (A3)", async () => {
  const root = project();
  writeFileSync(join(root, "hold"), "");
  const holder = start(root, "build", "-j", "1");
  await holder.tells(/holding/);
  const file = join(root, ".dospesos", "lock");
  assert.is(statSync(file).mode & 0o777, 0o600);
  writeFileSync(file, `\u001b[2J${"x".repeat(100_000)}`);
  const { exit, stderr } = dospesos(root, "build", "--no-wait");
  assert.is(exit, 3);
  assert.match(stderr, "another run works here: \\u001b[2Jxxx");
  assert.ok(stderr.length < 600);
  unlinkSync(join(root, "hold"));
  assert.is((await holder.end()).exit, 0);
});

test("a clean takes the lock's file with it: a run that waited for it locks the new one (A3)", async () => {
  const root = project();
  assert.is(dospesos(root, "build").exit, 0);
  const lock = join(root, ".dospesos", "lock");
  const held = openSync(lock, "r+");
  assert.is(spawnSync("flock", ["-n", "3"], { stdio: ["ignore", "ignore", "ignore", held] }).status, 0);
  const waiting = start(root, "build", "--force");
  await waiting.tells(/works here/);
  rmSync(join(root, ".dospesos"), { recursive: true });
  writeFileSync(join(root, "hold"), "");
  const other = start(root, "build", "--force", "-j", "1");
  await other.tells(/holding/);
  closeSync(held);
  assert.is(dospesos(root, "build", "--no-wait").exit, 3);
  unlinkSync(join(root, "hold"));
  assert.equal([(await other.end()).exit, (await waiting.end()).exit], [0, 0]);
});

test("without flock(1) a build works, and says once that two are not kept apart (A3)", async () => {
  const root = project();
  const { exit, stderr } = ran(root, process.execPath, [BIN, "build"], {
    ...PLAIN,
    PATH: join(root, "nothing"),
  });
  assert.is(exit, 0, stderr);
  assert.is(
    stderr.match(/two runs at a time are not kept apart here: flock\(1\) is not installed/g)?.length,
    1,
  );
});

test.run();

import { readdirSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, dospesos, PLAIN, start, Started, type Ended } from "../support/bin.ts";
import { becomes, contentsOf, projectOf, put, temporaryFiles, textOf } from "../support/folder.ts";
import { randomNumbers, torture } from "../support/random.ts";
import { buildAsTold } from "../support/told.ts";
import { testWith } from "../support/tools.ts";

const EXITS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const SIGNALS = Object.keys(EXITS) as (keyof typeof EXITS)[];

/** A rule that runs a script of the shell, which makes the file `started` and would go on for a minute. */
function sleeping(script: string): string {
  return projectOf(`import { project, rule } from "dospesos";
export default project(() => [
  rule({ target: "first.txt", recipe: () => "first" }),
  rule({ target: "slow.txt", recipe: (_, { run, readIfExists }) => (readIfExists("fast") !== undefined ? "slow" : run("sh", ["-c", ${JSON.stringify(script)}])) }),
]);
`);
}

/** The process ids of all that descends from a process (proc(5)). */
function descendants(of: number): number[] {
  const parents = new Map(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(Number(name))]),
  );
  const found = [of];
  for (const parent of found) {
    for (const [child, its] of parents) {
      if (its === parent) {
        found.push(child);
      }
    }
  }
  return found.slice(1);
}

function parentOf(pid: number): number {
  try {
    return Number(
      readFileSync(`/proc/${pid}/stat`, "latin1")
        .replace(/^.*\) /s, "")
        .split(" ")[1],
    );
  } catch {
    return 0;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "latin1").trim();
  } catch {
    return "";
  }
}

function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

/**
 * Interrupts a command while its recipe's script runs. Returns how it ended and what of its children still
 * runs.
 */
async function interrupted(
  root: string,
  signal: NodeJS.Signals,
  ...words: string[]
): Promise<{ ended: Ended; left: number[] }> {
  const run = start(root, ...(words.length === 0 ? ["build"] : words));
  await becomes(root, "started", (text) => text !== "");
  const children = descendants(run.child.pid!).filter(
    (pid) => commandOf(pid) === "sh" || commandOf(pid) === "sleep",
  );
  assert.ok(children.length > 0);
  run.kill(signal);
  const ended = await run.end(2000);
  const left = children.filter(isRunning);
  for (const pid of left) {
    process.kill(pid, "SIGKILL");
  }
  return { ended, left };
}

for (const signal of SIGNALS) {
  testWith(
    test,
    ["sleep", "sh"],
    `${signal} ends a recipe's program within 2 s, exits ${EXITS[signal]}, and the next build is right (trap 46)`,
    async () => {
      const root = sleeping("echo yes > started; exec sleep 60");
      const { ended, left } = await interrupted(root, signal);
      assert.is(ended.exit, EXITS[signal]);
      assert.equal(left, []);
      assert.match(ended.stderr, "interrupted");
      assert.not.match(ended.stderr, /error/);
      assert.equal(temporaryFiles(root), []);
      put(root, "fast", "");
      assert.ok(buildAsTold(root).includes("slow.txt"), "what was interrupted was not taken for made");
      assert.match(dospesos(root, "build").stderr, "nothing to do");
    },
  );
}

testWith(
  test,
  ["script", "sleep", "sh"],
  "a terminal that is closed ends a build with its recipe's programs, exit 129, and the next build is right (trap 46)",
  async () => {
    const root = sleeping("echo yes > started; exec sleep 60");
    // The terminal's first shell dies with it, which is how the hangup reaches the others; a second one stays
    // to say how the build ended.
    const shell = `(trap '' HUP; "${process.execPath}" "${BIN}" build; echo "exit $?" > ended); true`;
    const terminal = new Started(root, "script", ["-q", "-c", shell, "/dev/null"], {
      env: { ...PLAIN, SHELL: "/bin/sh" },
    });
    await becomes(root, "started", (text) => text !== "");
    const children = descendants(terminal.child.pid!);
    assert.ok(children.length >= 4, "two shells, the build and its recipe's program");
    terminal.kill("SIGKILL");
    await becomes(root, "ended", (text) => text.endsWith("\n"), 3000);
    assert.is(textOf(root, "ended"), "exit 129\n");
    assert.equal(
      children.filter((pid) => isRunning(pid) && commandOf(pid) !== "sh"),
      [],
    );
    assert.equal(temporaryFiles(root), []);
    put(root, "fast", "");
    assert.ok(buildAsTold(root).includes("slow.txt"));
    assert.match(dospesos(root, "build").stderr, "nothing to do");
  },
);

/** Effects of which one runs the script of a shell, one needs that one, and one would be asked for. */
function effects(script: string): string {
  return projectOf(`import { effect, project, rule } from "dospesos";
const slow = effect({ name: "slow", target: "applied/slow.json", apply: async (_, { run }) => ({ text: await run("sh", ["-c", ${JSON.stringify(script)}]) }) });
const above = effect({ name: "above", target: "applied/above.json", needs: { slow }, apply: async () => ({}) });
const planned = effect({ name: "planned", target: "applied/planned.json", plan: async () => ({ changes: ["make a thing"] }), apply: async () => ({}) });
const quick = effect({ name: "quick", target: "applied/quick.json", apply: async () => ({}) });
export default project(() => [rule({ target: "first.txt", recipe: () => "first" }), slow, above, planned, quick]);
`);
}

for (const jobs of ["1", "4"]) {
  testWith(
    test,
    ["sleep", "sh"],
    `after Ctrl-C nothing is said to have failed or to wait: what ran was stopped, what was not reached is counted (-j ${jobs})`,
    async () => {
      const {
        ended: { exit, stderr },
      } = await interrupted(effects("echo yes > started; exec sleep 60"), "SIGINT", "build", "-j", jobs);
      assert.is(exit, 130);
      assert.match(stderr, /^stopped {2}slow {2}new$/m);
      assert.not.match(stderr, /waits|failed|error/);
      assert.match(
        stderr,
        jobs === "1"
          ? /^interrupted: 1 made, 4 not; the next build resumes from here$/m
          : /^interrupted: 2 made, 3 not; /m,
      );
    },
  );
}

testWith(
  test,
  ["sh", "script"],
  "Ctrl-C at the question of a build is no answer to it: nothing is applied, and nothing is said to wait",
  async () => {
    const root = effects("exit 0");
    const build = new Started(
      root,
      "script",
      ["-q", "-e", "-c", `"${process.execPath}" "${BIN}" build`, "/dev/null"],
      { stdio: ["pipe", "pipe", "pipe"], env: { ...PLAIN, SHELL: "/bin/sh" } },
    );
    await build.tells(/Apply these changes \(1\)\?/);
    build.child.stdin!.write("\u0003");
    const { exit, stdout } = await build.end();
    assert.is(exit, 130);
    assert.not.match(stdout, /waits|failed/);
    assert.match(stdout, /^interrupted: 4 made, 1 not; /m);
  },
);

testWith(
  test,
  ["sleep", "sh"],
  "Ctrl-C in a watch's first batch: nothing is said to be stale that was not reached, nor to be watched",
  async () => {
    const root = projectOf(`import { effect, project, rule } from "dospesos";
const slow = rule({ target: "slow.txt", recipe: (_, { run }) => run("sh", ["-c", "echo yes > started; exec sleep 60"]) });
export default project(() => [effect({ name: "above", target: "applied/above.json", needs: { slow }, apply: async () => ({}) })]);
`);
    const {
      ended: { exit, stderr },
    } = await interrupted(root, "SIGINT", "watch");
    assert.is(exit, 130);
    assert.match(stderr, /^stopped {2}slow\.txt {2}new$/m);
    assert.not.match(stderr, /stale|watching|failed/);
  },
);

testWith(
  test,
  ["sleep", "sh"],
  "an interrupt also ends what a recipe's program started itself (trap 46)",
  async () => {
    const { ended, left } = await interrupted(sleeping("sleep 60 & echo yes > started; wait"), "SIGINT");
    assert.is(ended.exit, 130);
    assert.equal(left, []);
  },
);

testWith(
  test,
  ["sleep", "sh"],
  "a program that ignores the interrupt is ended within 2 s all the same (trap 46)",
  async () => {
    const { ended, left } = await interrupted(
      sleeping("trap '' INT TERM HUP; echo yes > started; while :; do sleep 60; done"),
      "SIGINT",
    );
    assert.is(ended.exit, 130);
    assert.equal(left, []);
  },
);

test("a second Ctrl-C ends a recipe that does not listen to the first one (trap 46)", async () => {
  const root = projectOf(`import { project, rule } from "dospesos";
export default project(() => [rule({ target: "deaf.txt", recipe: async (_, { signal }) => {
  setInterval(() => {}, 1000);
  signal.addEventListener("abort", () => process.stderr.write("not now\\n"));
  process.stderr.write("deaf\\n");
  return new Promise<string>(() => {});
} })]);
`);
  const run = start(root, "build");
  await run.tells(/deaf/);
  run.kill("SIGINT");
  await run.tells(/not now/);
  run.kill("SIGINT");
  assert.is((await run.end(1000)).exit, 130);
});

const ROUNDS = Math.ceil(12 * torture);

test(`after ${ROUNDS} signals at random moments the next build equals a clean one (trap 46)`, async () => {
  const random = randomNumbers("signals");
  const dofile = `import { file, project, rule } from "dospesos";
export default project(() => Array.from({ length: 40 }, (_, n) => rule({
  targets: { a: "out/" + n + ".a", b: "out/" + n + ".b" }, needs: { source: file("source.txt") },
  recipe: async ({ source }, { run }) => ({ a: source.text + n, b: n % 8 === 0 ? await run("cat", [], source.text) : source.text }),
})));
`;
  const root = projectOf(dofile);
  for (let round = 0; round < ROUNDS; round++) {
    const text = `round ${round}\n`;
    put(root, "source.txt", text);
    const signal = SIGNALS[round % 3]!;
    const run = start(root, "build");
    const timer = setTimeout(() => run.kill(signal), random() * 500);
    const { exit, signal: died } = await run.end();
    clearTimeout(timer);
    // Before the program listens, and after it has ended its work, a signal ends it as any other.
    assert.ok(
      exit === 0 || exit === EXITS[signal] || died === signal,
      `${signal}: exit ${exit} ${died}\n${run.told}`,
    );
    assert.not.match(run.stderr, /error/);
    assert.equal(temporaryFiles(root), []);
    assert.is(dospesos(root, "build").exit, 0);
    const made = contentsOf(root);
    for (let n = 0; n < 40; n++) {
      assert.match(made[`out/${n}.a`]!, `${text}${n}`);
      assert.match(made[`out/${n}.b`]!, text);
    }
  }
  assert.match(dospesos(root, "build").stderr, "nothing to do");
});

test("Ctrl-C ends a build of recipes that never wait (trap 46)", async () => {
  const root = projectOf(`import { project, rule } from "dospesos";
const busy = (ms: number): void => { for (const end = performance.now() + ms; performance.now() < end; ); };
export default project(() => Array.from({ length: 400 }, (_, i) => rule({ target: \`out/\${i}\`, recipe: () => (busy(15), "x") })));
`);
  const build = start(root, "build", "-j", "1");
  await build.tells(/made +out\/5 /);
  build.kill("SIGINT");
  assert.is((await build.end(3000)).exit, 130);
  assert.ok(readdirSync(`${root}/out`).length < 200, "it stopped long before the end");
  assert.is(dospesos(root, "build").exit, 0);
  assert.is(readdirSync(`${root}/out`).length, 400);
});

test.run();

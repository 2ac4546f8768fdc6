import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, dospesos, PLAIN, ran, Started } from "../support/bin.ts";
import { edit, projectOf, put, shippedProject, textOf } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";

const DOFILE = `import { effect, file, group, project, rule } from "dospesos";
export default project(() => {
  const upper = rule({ target: "out/upper.txt", needs: { source: file("source.txt") }, recipe: ({ source }) => source.text.toUpperCase() });
  const twice = rule({ target: "out/twice.txt", needs: { upper }, recipe: ({ upper }) => upper.text + upper.text });
  const other = rule({ target: "out/other.txt", recipe: (_, { settings }) => settings.aws.region });
  const applied = effect({ name: "apply it", target: "applied.json", needs: { upper }, apply: async ({ upper }) => ({ was: upper.text }) });
  return [group("all-texts", [twice, other]), applied];
});
`;

function texts(): string {
  return projectOf(DOFILE, { "source.txt": "one\n" });
}

function lines(stdout: string): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("--help and no command at all show every command on stdout and exit 0", () => {
  const folder = tempFolder();
  const help = dospesos(folder, "--help");
  assert.is(help.exit, 0);
  for (const word of [
    "build",
    "watch",
    "status",
    "why",
    "list",
    "clean",
    "inventory",
    "move-state",
    "--json",
    "-C, --directory DIR",
    "130",
  ]) {
    assert.match(help.stdout, word);
  }
  assert.is(help.stderr, "");
  assert.equal(dospesos(folder), help);
});

test("help COMMAND and COMMAND --help show the options, examples and exit codes of that command alone", () => {
  const folder = tempFolder();
  const { exit, stdout, stderr } = dospesos(folder, "help", "push");
  assert.equal([exit, stderr], [0, ""]);
  for (const words of [
    "usage: dospesos push [CORE…]",
    "-j, --jobs N",
    "--only failed",
    "npx dospesos push",
    "4  it needs",
  ]) {
    assert.match(stdout, words);
  }
  assert.not.match(stdout, "--keep-going");
  assert.is(dospesos(folder, "push", "--help").stdout, stdout);
  assert.is(dospesos(folder, "help", "pusch").exit, 2);
});

test("options may are in front of the command", () => {
  const root = texts();
  assert.is(dospesos(tempFolder(), "-j", "2", "-C", root, "build").exit, 0);
});

test("--version gives the version of the package on stdout", () => {
  const { exit, stdout } = dospesos(tempFolder(), "--version");
  assert.is(exit, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test("an unknown command, option or target exits 2 and says what was probably meant", () => {
  const root = texts();
  const command = dospesos(root, "biuld");
  assert.is(command.exit, 2);
  assert.match(command.stderr, /"biuld" is not a command; did you mean build\?/);
  const option = dospesos(root, "build", "--dry-rnu", "--jobs", "none");
  assert.is(option.exit, 2);
  assert.match(option.stderr, /--dry-rnu is not an option of build; did you mean --dry-run\?/);
  assert.match(option.stderr, /--jobs takes a number from 1 to 1024, not "none"/);
  const target = dospesos(root, "build", "out/uper.txt", "nothing-like-it");
  assert.is(target.exit, 2);
  assert.match(target.stderr, /there is no target "out\/uper.txt"\n {2}fix: did you mean out\/upper.txt\?/);
  assert.match(target.stderr, /there is no target "nothing-like-it"/);
  assert.not(existsSync(join(root, "out")));
});

test("without a Dofile in the folder or above it every command exits 2 and says where it looked", () => {
  const folder = tempFolder();
  for (const command of ["build", "status", "list", "clean", "watch"]) {
    const { exit, stderr } = dospesos(folder, command);
    assert.is(exit, 2, command);
    assert.match(stderr, `there is no Dofile.ts in ${folder}`);
  }
});

test("--json gives each step, the end of the build and the exit, in the documented shapes", () => {
  const root = texts();
  dospesos(root, "build");
  edit(root, "settings.ini", "eu-west-1", "eu-central-1");
  const events = lines(dospesos(root, "build", "--json").stdout);
  const steps = events.filter((event) => event["type"] === "step");
  for (const step of steps) {
    for (const key of ["target", "status", "reasons", "ms"]) {
      assert.ok(key in step, key);
    }
    assert.ok(["ran", "fresh", "failed", "skipped"].includes(String(step["status"])));
  }
  const other = steps.find((step) => step["target"] === "out/other.txt")!;
  assert.equal(other["reasons"], [
    { kind: "setting", key: "aws.region", from: "eu-west-1", to: "eu-central-1" },
  ]);
  const [end, exit] = events.slice(-2);
  assert.equal([end!["type"], end!["ran"], end!["fresh"], end!["failed"]], ["end", 1, 3, 0]);
  assert.equal([exit!["type"], exit!["command"], exit!["exit"]], ["exit", "build", 0]);
  assert.type(exit!["ms"], "number");
});

test("-n says what would be made and changes nothing", () => {
  const root = texts();
  const { exit, stdout } = dospesos(root, "build", "-n");
  assert.is(exit, 0);
  assert.match(stdout, /out\/upper.txt/);
  assert.not(existsSync(join(root, "out")));
  assert.not(existsSync(join(root, ".dospesos")));
});

test("a failing recipe exits 1, and only with -k what does not need it is made", () => {
  const dofile = `import { project, rule } from "dospesos";
export default project(() => [
  rule({ target: "a-bad.txt", recipe: () => { throw new Error("no luck"); } }),
  rule({ target: "b-good.txt", recipe: () => "good" }),
]);
`;
  const root = projectOf(dofile);
  const first = dospesos(root, "build", "-j", "1");
  assert.is(first.exit, 1);
  assert.match(first.stderr, /Dofile\.ts:3:\d+: error DP\d+: the recipe of a-bad.txt failed: no luck/);
  assert.not(existsSync(join(root, "b-good.txt")));
  assert.is(dospesos(root, "build", "-k", "-j", "1").exit, 1);
  assert.is(textOf(root, "b-good.txt"), "good");
});

test("-j 1 runs one recipe at a time, -j 4 up to four", () => {
  const dofile = `import { appendFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { project, rule } from "dospesos";
let running = 0;
export default project(() => Array.from({ length: 8 }, (_, n) => rule({ target: "out/" + n, recipe: async (_, { root }) => {
  appendFileSync(root + "/running", ++running + "\\n");
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  running--;
  return "x";
} })));
`;
  for (const jobs of [1, 4]) {
    const root = projectOf(dofile);
    assert.is(dospesos(root, "build", "-j", String(jobs)).exit, 0);
    assert.is(Math.max(...textOf(root, "running").trim().split("\n").map(Number)), jobs);
  }
});

test("it works from a subfolder, and with -C from anywhere", () => {
  const root = texts();
  mkdirSync(join(root, "deep", "deeper"), { recursive: true });
  assert.is(dospesos(join(root, "deep", "deeper"), "build").exit, 0);
  assert.is(textOf(root, "out/twice.txt"), "ONE\nONE\n");
  assert.is(dospesos(tempFolder(), "-C", root, "status").exit, 0);
  assert.is(dospesos(root, "-C", "deep", "status").exit, 2);
});

test("colours appear only when asked for where there is no terminal, and NO_COLOR turns them off", () => {
  const root = texts();
  const bin = (env: NodeJS.ProcessEnv, ...words: string[]): string =>
    ran(root, process.execPath, [BIN, "build", "--force", ...words], env).stderr;
  // A continuous integration is no terminal, either.
  const bare: NodeJS.ProcessEnv = { ...PLAIN, NO_COLOR: undefined, FORCE_COLOR: undefined, CI: "true" };
  assert.not.match(bin(bare), "\u001b");
  assert.match(bin(bare, "--color"), "\u001b");
  assert.not.match(bin({ ...bare, NO_COLOR: "1" }), "\u001b");
});

test("list names groups, targets and effects on stdout", () => {
  const { exit, stdout } = dospesos(texts(), "list");
  assert.is(exit, 0);
  assert.equal(
    stdout
      .split("\n")
      .map((line) => line.split("  ")[0])
      .filter(Boolean),
    ["all-texts", "applied.json", "out/other.txt", "out/twice.txt", "out/upper.txt"].sort(
      (a, b) => Number(a !== "all-texts") - Number(b !== "all-texts") || (a < b ? -1 : 1),
    ),
  );
  assert.match(stdout, /applied.json {2}\(effect apply it\)/);
});

test("status exits 1 until all is fresh, then 0, and writes nothing", () => {
  const root = texts();
  assert.is(dospesos(root, "status").exit, 1);
  assert.not(existsSync(join(root, ".dospesos")));
  dospesos(root, "build");
  assert.is(dospesos(root, "status").exit, 0);
});

test("clean of the shipped project leaves keys and the account's state, and nothing else that was built", () => {
  const root = shippedProject();
  const git = (...words: string[]): string => ran(root, "git", words).stdout;
  git("init", "-q");
  git("add", "-A");
  git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "all");
  assert.is(dospesos(root, "build").exit, 0);
  assert.is(git("status", "--porcelain"), "", "everything that is built is ignored by git");
  assert.is(dospesos(root, "clean").exit, 0);
  assert.equal(git("status", "--porcelain", "--ignored").trim().split("\n").sort(), [
    "!! edge/keys/",
    "!! terraform/state/",
  ]);
});

test("clean TARGET removes only that, and the next build makes only that", () => {
  const root = texts();
  dospesos(root, "build");
  const { exit, stderr } = dospesos(root, "clean", "out/twice.txt");
  assert.is(exit, 0);
  assert.match(stderr, /removed {2}out\/twice.txt/);
  assert.ok(existsSync(join(root, "out/upper.txt")));
  const made = lines(dospesos(root, "build", "--json").stdout)
    .filter((event) => event["status"] === "ran")
    .map((event) => event["target"]);
  assert.equal(made, ["out/twice.txt"]);
});

test("clean works with a broken Dofile and with broken settings", () => {
  for (const [name, text] of [
    ["Dofile.ts", "export default project((("],
    ["settings.ini", "[aws\n"],
  ] as const) {
    const root = texts();
    dospesos(root, "build");
    put(root, name, text);
    const { exit, stderr } = dospesos(root, "clean");
    assert.is(exit, 0, stderr);
    assert.not(existsSync(join(root, "out")));
    assert.not(existsSync(join(root, ".dospesos")));
    assert.is(textOf(root, "source.txt"), "one\n");
  }
});

test("a reader that goes away is no reason to fail or to complain", async () => {
  const root = texts();
  for (const command of ["build --force", "build", "list", "status", "build --json"]) {
    const stderrClosed = new Started(
      root,
      "sh",
      ["-c", `{ "$0" "$1" ${command}; echo "exit $?" >&3; } 2>&1 | true`, process.execPath, BIN],
      { stdio: ["ignore", "pipe", "pipe", "pipe"] },
    );
    let exit = "";
    stderrClosed.child.stdio[3]!.on("data", (piece: Buffer) => (exit += piece.toString()));
    await stderrClosed.end();
    assert.is(exit, "exit 0\n", command);
    const { stdout, stderr } = ran(root, "bash", [
      "-c",
      `set -o pipefail; "$0" "$1" ${command} | head -1; echo "exit \${PIPESTATUS[0]}"`,
      process.execPath,
      BIN,
    ]);
    assert.match(stdout, /exit 0\n$/, command);
    assert.not.match(stderr, /EPIPE|at .*\.js/, command);
  }
});

test("a recipe that waits for nothing does not pass for a good build", () => {
  const root = projectOf(`import { project, rule } from "dospesos";
export default project(() => [rule({ target: "never.txt", recipe: () => new Promise<string>(() => {}) })]);
`);
  const { exit, stderr } = dospesos(root, "build");
  assert.is(exit, 1);
  assert.match(stderr, /never\.txt/);
});

test.run();

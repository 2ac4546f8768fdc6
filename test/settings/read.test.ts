import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseSettings, readSettings } from "../../lib/settings/index.ts";
import { tempFolder } from "../support/temp.ts";
import { testWith, toolPath } from "../support/tools.ts";
import { LEAST, parsed, problemsOf } from "./support.ts";

function written(text: string, mode = 0o644): string {
  const path = join(tempFolder("settings"), "settings.ini");
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const whats = (path: string) => problemsOf(() => readSettings(path, "settings.ini")).map((one) => one.what);

/** Far above what it takes, also on a busy machine; far below what anything quadratic would take. */
function inTime<T>(body: () => T): T {
  const start = performance.now();
  const result = body();
  assert.ok(performance.now() - start < 10_000, `took ${Math.round(performance.now() - start)} ms`);
  return result;
}

test("the settings that are shipped can be used as they are, in the sandbox", () => {
  const { settings } = readSettings(
    fileURLToPath(new URL("../../settings.ini", import.meta.url)),
    "settings.ini",
  );
  assert.is(settings.value("aws.account"), "sandbox");
  assert.is(settings.value("core core-1.group"), "my-group");
  assert.is(settings.value("thing thing-1.core"), "core-1");
});

test("reading gives the bytes that were checked", () => {
  const { bytes, settings } = readSettings(written(LEAST), "settings.ini");
  assert.is(Buffer.from(bytes).toString(), LEAST);
  assert.is(settings.file, "settings.ini");
});

test("a missing file is answered with a command that writes one", () => {
  const path = join(tempFolder("settings"), "settings.ini");
  const [problem] = problemsOf(() => readSettings(path, "settings.ini"));
  assert.is(problem?.what, "there is no such file");
  assert.match(problem?.fix ?? "", "printf '%s\\n' '[aws]'");
});

testWith(
  test,
  ["sh"],
  "the command that is given for a missing file writes settings that can be used",
  () => {
    const folder = tempFolder("settings");
    const [problem] = problemsOf(() => readSettings(join(folder, "settings.ini"), "it's here.ini"));
    const command = (problem?.fix ?? "").replace(/^.*? with: /, "");
    execFileSync(toolPath("sh") ?? "sh", ["-c", command], { cwd: folder });
    assert.equal(readSettings(join(folder, "it's here.ini"), "x").settings.names("core"), ["core-1"]);
  },
);

test("a folder in place of the file is refused", () => {
  const path = join(tempFolder("settings"), "settings.ini");
  mkdirSync(path);
  assert.equal(whats(path), ["is not a regular file"]);
});

testWith(test, ["mkfifo"], "a FIFO in place of the file is refused, not waited for", () => {
  const path = join(tempFolder("settings"), "settings.ini");
  execFileSync(toolPath("mkfifo") ?? "mkfifo", [path]);
  assert.equal(whats(path), ["is not a regular file"]);
});

test("a file over 1 MiB is refused before it is read", () => {
  const path = written("");
  truncateSync(path, 200 * 1024 * 1024);
  assert.equal(
    inTime(() => whats(path)),
    ["the file is 209,715,200 bytes; limit 1 MiB"],
  );
});

if (process.getuid !== undefined) {
  test("a file that everybody can write is refused", () => {
    const [problem] = problemsOf(() => readSettings(written(LEAST, 0o646), "settings.ini"));
    assert.is(
      problem?.what,
      "everybody can write this file: others can change what runs as root; chmod go-w",
    );
    assert.is(problem?.fix, "chmod go-w settings.ini");
  });

  test("a file that only its user's own group can write, as with umask 002, is taken", () => {
    const path = written(LEAST, 0o664);
    chownSync(path, -1, process.getgid?.() ?? -1);
    if (process.getgid?.() === process.getuid?.()) {
      assert.ok(readSettings(path, "settings.ini").settings);
    } else {
      assert.match(whats(path)[0] ?? "", "can write this file");
    }
  });
}

if (process.getuid?.() === 0) {
  test("a file of another user is refused", () => {
    const path = written(LEAST);
    chownSync(path, 12_345, 0);
    const [problem] = problemsOf(() => readSettings(path, "settings.ini"));
    assert.is(
      problem?.what,
      "its owner, user 12345, can write this file: others can change what runs as root; chown $(id -u)",
    );
    assert.is(problem?.fix, "chown $(id -u) settings.ini");
  });

  test("a file that another group can write is refused", () => {
    const path = written(LEAST, 0o664);
    chownSync(path, 0, 12_345);
    assert.equal(whats(path), [
      "group 12345 can write this file: others can change what runs as root; chmod go-w",
    ]);
  });
}

test("a value of 10 MB is refused in time", () => {
  const text = `${LEAST}group = ${"x".repeat(10 * 1024 * 1024)}\n`;
  assert.equal(
    inTime(() => problemsOf(() => parsed(text))).map((one) => one.what),
    ["value is 10,485,760 bytes; limit 4,096"],
  );
});

test("100,000 sections are refused in time", () => {
  const text = LEAST + Array.from({ length: 100_000 }, (_, i) => `[core c${i}]`).join("\n");
  const problems = inTime(() => problemsOf(() => parsed(text)));
  assert.equal(
    problems.map((one) => [one.what, one.location?.line]),
    [["too many sections; limit 25,000 sections", 25_005]],
  );
});

test("text that invites slow searching is refused in time", () => {
  const long = 500_000;
  const texts = [
    `group = a${" ".repeat(long)}b`,
    `[core a${" ".repeat(long)}b]`,
    "a ".repeat(long),
    `x = ${'"'.repeat(long)}`,
    "[".repeat(long),
    "-----BEGIN ".repeat(long / 10),
    `${"\u200b".repeat(long)} = 1`,
    "a\n".repeat(long),
    "[a]\n".repeat(long / 2),
    "\r".repeat(long),
  ];
  for (const text of texts) {
    inTime(() => problemsOf(() => parsed(LEAST + text)));
  }
});

test("ten thousand cores with as many things are taken in time, from less than 1 MiB", () => {
  const cores = Array.from({ length: 10_000 }, (_, i) => `[core core-${i}]\ngroup = fleet\n`);
  const things = Array.from({ length: 10_000 }, (_, i) => `[thing thing-${i}]\ncore = core-${i}\n`);
  const bytes = Buffer.from(`${LEAST.replace("[core core-1]\n", "")}${cores.join("")}${things.join("")}`);
  assert.ok(bytes.length < 1024 * 1024);
  const settings = inTime(() => parseSettings(bytes, "settings.ini"));
  assert.is(settings.names("thing").length, 10_000);
  assert.is(settings.value("thing thing-9999.core"), "core-9999");
});

test("as many things whose cores are not there are refused in time", () => {
  const cores = Array.from({ length: 10_000 }, (_, i) => `[core core-${i}]\n`);
  const things = Array.from({ length: 10_000 }, (_, i) => `[thing thing-${i}]\ncore = xxxx-${i}\n`);
  assert.is(
    inTime(() =>
      problemsOf(() => parsed(LEAST.replace("[core core-1]\n", "") + cores.join("") + things.join(""))),
    ).length,
    101,
  );
});

test("where nothing is said, a core's key is made on its device in a real account, and on the laptop where it is already (A9)", () => {
  const REAL = LEAST.replace("account = sandbox", "account = 123456789012");
  const keyIn = (path: string): unknown =>
    readSettings(path, "settings.ini").settings.value("core core-1.key");
  assert.is(keyIn(written(LEAST)), "laptop");
  const path = written(REAL);
  assert.is(keyIn(path), "device");
  mkdirSync(join(dirname(path), "edge/keys/core-1"), { recursive: true });
  writeFileSync(join(dirname(path), "edge/keys/core-1/private.pem.key"), "");
  assert.is(keyIn(path), "laptop");
  assert.is(keyIn(written(`${REAL}key = laptop\n`)), "laptop");
  assert.is(readSettings(path, "x").settings.value("core nobody.key"), undefined);
});

test.run();

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, ran, Started } from "../support/bin.ts";
import { becomes, projectOf, put } from "../support/folder.ts";
import { placeForMany, tempFolder } from "../support/temp.ts";
import { testWhere, testWith } from "../support/tools.ts";
import { endsRight, watching } from "../support/watching.ts";

/** One rule of all files, and some of one file each. */
const MANY = `import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { file, glob, project, rule } from "dospesos";
export default project(() => [
  ...Array.from({ length: 20 }, (_, n) => rule({ target: "out/" + n, needs: { one: file("in/" + n + "/" + n + ".txt") }, recipe: ({ one }) => one.text })),
  rule({ target: "out/all", needs: { all: glob("in/**/*.txt") }, recipe: ({ all }) => {
    const hash = createHash("sha256");
    for (const one of all) hash.update(one.path + "=" + one.text + ";");
    return all.length + " " + hash.digest("hex");
  } }),
  rule({ target: "out/copy", needs: { source: file("source.txt") }, recipe: ({ source }) => source.text }),
  rule({ target: "out/busy", needs: { trigger: file("trigger") }, recipe: ({ trigger }, { root }) => {
    // Synchronous: the event loop of the watch stands still while another process writes.
    if (trigger.text === "go") execFileSync(process.execPath, [root + "/writer.mjs"], { cwd: root });
    return trigger.text;
  } }),
]);
`;

/** A script that writes some number of files, 1,000 in a folder. */
function writerOf(count: number, text: string): string {
  return `import { mkdirSync, writeFileSync } from "node:fs";
for (let n = 0; n < ${count}; n++) {
  const folder = "in/" + Math.floor(n / ${count / 50}) + "/";
  if (n % ${count / 50} === 0) mkdirSync(folder, { recursive: true });
  const name = n % ${count / 50} === 0 ? Math.floor(n / ${count / 50}) : "file-" + n;
  writeFileSync(folder + name + ".txt", "${text} " + n);
}
`;
}

/** What the rule of all files makes of them. */
function allOf(root: string): string {
  const hash = createHash("sha256");
  const names = readdirSync(join(root, "in"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".txt"))
    .map((name) => `in/${name}`)
    .sort();
  for (const name of names) {
    hash.update(`${name}=${readFileSync(join(root, name), "utf8")};`);
  }
  return `${names.length} ${hash.digest("hex")}`;
}

/**
 * A script that makes more events than the queue of inotify(7) holds, of two files that nobody needs, and
 * then saves a source.
 */
function flooding(text: string): string {
  const events = 20_000 + Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8"));
  return `import { openSync, writeFileSync, writeSync } from "node:fs";
const logs = [openSync("a.log", "a"), openSync("b.log", "a")];
for (let n = 0; n < ${events}; n++) writeSync(logs[n % 2], "x");
writeFileSync("source.txt", "${text}");
`;
}
const noQueue = process.platform === "linux" ? undefined : "inotify is Linux's";

function projectWith(writer: string): string {
  return projectOf(
    MANY,
    {
      "source.txt": "0",
      trigger: "wait",
      "writer.mjs": writer,
      ...Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`in/${n}/${n}.txt`, "first"])),
    },
    tempFolder("many", placeForMany()),
  );
}

testWith(
  test,
  ["git"],
  "10,000 files that git checkout changes end equal to a clean build, there and back (trap 61)",
  async () => {
    const root = projectWith("");
    const git = (...words: string[]): void =>
      assert.is(
        ran(root, "git", ["-c", "user.name=test", "-c", "user.email=test@localhost", ...words]).exit,
        0,
        words.join(" "),
      );
    git("init", "-q", "-b", "one");
    put(root, ".gitignore", ".dospesos/\nout/\n");
    for (const branch of ["one", "two"]) {
      if (branch !== "one") {
        git("checkout", "-q", "-b", branch);
      }
      put(root, "writer.mjs", writerOf(10_000, branch));
      assert.is(ran(root, process.execPath, ["writer.mjs"]).exit, 0);
      put(root, "source.txt", `source of ${branch}`);
      git("add", "-A");
      git("commit", "-qm", branch);
    }
    const watch = await watching(root);
    for (const branch of ["one", "two"]) {
      git("checkout", "-q", branch);
      await becomes(root, "out/copy", (text) => text === `source of ${branch}`);
      for (let n = 0; n < 20; n++) {
        await becomes(root, `out/${n}`, (text) => text.startsWith(branch));
      }
      await becomes(root, "out/all", (text) => text === allOf(root));
    }
    await endsRight(watch, root);
  },
);

test("50,000 files that another process changes while the event loop is busy end equal to a clean build (trap 61)", async () => {
  const root = projectWith(writerOf(50_000, "last"));
  assert.is(ran(root, process.execPath, ["writer.mjs"]).exit, 0);
  put(root, "writer.mjs", writerOf(50_000, "new"));
  const watch = await watching(root);
  const from = watch.told.length;
  put(root, "trigger", "go");
  await becomes(root, "out/busy", (text) => text === "go", 30_000);
  await becomes(root, "out/19", (text) => text.startsWith("new"), 30_000);
  await watch.tells(/made +out\/all[^]*made in.*\n$/, from, 30_000);
  await endsRight(watch, root);
});

testWhere(
  test,
  noQueue,
  "a save whose event was lost, since the queue was full while the event loop was busy, is seen (trap 61)",
  async () => {
    const root = projectWith(flooding("after the flood"));
    const watch = await watching(root);
    put(root, "trigger", "go");
    await becomes(root, "out/busy", (text) => text === "go");
    await becomes(root, "out/copy", (text) => text === "after the flood", 5000);
    await endsRight(watch, root);
  },
);

testWhere(
  test,
  noQueue,
  "a watch that was asleep sees what was saved meanwhile, also if its events were lost (trap 66)",
  async () => {
    const root = projectWith(flooding("overnight"));
    const watch = await watching(root);
    for (const writer of [
      `import { writeFileSync } from "node:fs"; writeFileSync("source.txt", "short nap");`,
      flooding("overnight"),
    ]) {
      put(root, "writer.mjs", writer);
      watch.kill("SIGSTOP");
      assert.is(ran(root, process.execPath, ["writer.mjs"]).exit, 0);
      watch.kill("SIGCONT");
      const text = /"source.txt", "(.*)"/.exec(writer)![1]!;
      await becomes(root, "out/copy", (made) => made === text, 5000);
    }
    await endsRight(watch, root);
  },
);

test("a clock that jumps an hour ahead, or back, hides no save from a watch (trap 66)", async () => {
  const root = projectWith("");
  writeFileSync(
    join(root, "clock.cjs"),
    `const { now } = Date; let offset = 0; Date.now = () => now() + offset;
process.on("SIGUSR2", () => { offset = offset === 0 ? 3_600_000 : -3_600_000; process.stderr.write("clock " + offset + "\\n"); });`,
  );
  const watch = new Started(root, process.execPath, ["--require", join(root, "clock.cjs"), BIN, "watch"]);
  await watch.tells(/watching:/);
  for (const offset of ["3600000", "-3600000"]) {
    watch.kill("SIGUSR2");
    await watch.tells(new RegExp(`clock ${offset}\n`));
    for (const save of [1, 2, 3]) {
      put(root, "source.txt", `${offset} ${save}`);
      await becomes(root, "out/copy", (text) => text === `${offset} ${save}`);
    }
  }
  await endsRight(watch, root);
});

test.run();

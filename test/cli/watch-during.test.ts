import { existsSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { start, type Started } from "../support/bin.ts";
import { becomes, edit, projectOf, put, temporaryFiles, textOf } from "../support/folder.ts";
import { buildAsTold } from "../support/told.ts";
import { endOf, endsRight, timesFailed, timesMade, watching } from "../support/watching.ts";

/**
 * A recipe that notes each run in `runs` and tells "running"; it goes on when there is no file `hold` any
 * more.
 */
const HELD = `import { appendFileSync, existsSync, watch } from "node:fs";
import { file, project, rule } from "dospesos";
const held = async (root: string, run: string): Promise<void> => {
  appendFileSync(root + "/runs", run + "\\n");
  if (!existsSync(root + "/hold")) return;
  await new Promise<void>((resolve) => {
    const watcher = watch(root, () => { if (!existsSync(root + "/hold")) { watcher.close(); resolve(); } });
    process.stderr.write("running " + run + "\\n");
  });
};
export default project(() => [
  rule({ target: "out/slow", needs: { source: file("source") }, recipe: async ({ source }, { root }) => { const seen = source.text; await held(root, seen); return "slow " + seen; } }),
  rule({ target: "out/quick", needs: { other: file("other") }, recipe: ({ other }) => other.text }),
]);
`;

function project(): string {
  return projectOf(HELD, { source: "0", other: "0" });
}

function runsOf(root: string): string[] {
  return existsSync(join(root, "runs")) ? textOf(root, "runs").trim().split("\n") : [];
}

/** Saves the source and waits until its build runs and is held up. */
async function held(root: string, watch: Started, text: string): Promise<void> {
  put(root, "hold", "");
  put(root, "source", text);
  await watch.tells(new RegExp(`running ${text}`));
}

/** What watch does for the save of another file comes after all that it does for earlier ones. */
async function afterAll(root: string, text: string): Promise<void> {
  put(root, "other", text);
  await becomes(root, "out/quick", (made) => made === text);
}

test("what is saved again and again during a build makes exactly one more build, of the last content (trap 58)", async () => {
  const root = project();
  const watch = await watching(root);
  await held(root, watch, "1");
  for (const text of ["2", "3", "4"]) {
    put(root, "source", text);
  }
  unlinkSync(join(root, "hold"));
  await becomes(root, "out/slow", (text) => text === "slow 4");
  await afterAll(root, "after");
  assert.equal(runsOf(root), ["0", "1", "4"]);
  await endsRight(watch, root);
});

test("what is changed and changed back during a build makes none (trap 58)", async () => {
  const root = project();
  const watch = await watching(root);
  await held(root, watch, "1");
  put(root, "source", "x");
  put(root, "source", "1");
  unlinkSync(join(root, "hold"));
  await becomes(root, "out/slow", (text) => text === "slow 1");
  await afterAll(root, "after");
  assert.equal(runsOf(root), ["0", "1"]);
  await endsRight(watch, root);
});

/** Another recipe, another rule, and one that is gone. */
function editRules(root: string): void {
  edit(root, "Dofile.ts", `return "slow " + seen`, `return "slower " + seen`);
  edit(
    root,
    "Dofile.ts",
    `rule({ target: "out/quick"`,
    `rule({ target: "out/new", recipe: (_, { settings }) => settings.aws.region }),\n  rule({ target: "out/quicker"`,
  );
  edit(root, "settings.ini", "eu-west-1", "us-east-1");
}

test("rules and settings that change during a build in watch are taken up after it: the next builds make what the new ones say (trap 59)", async () => {
  const root = project();
  const watch = await watching(root);
  await held(root, watch, "1");
  editRules(root);
  unlinkSync(join(root, "hold"));
  await becomes(root, "out/new", (text) => text === "us-east-1");
  await becomes(root, "out/slow", (text) => text === "slower 1");
  await becomes(root, "out/quicker", (text) => text === "0");
  put(root, "source", "2");
  await becomes(root, "out/slow", (text) => text === "slower 2");
  assert.not.ok(existsSync(join(root, "out/quick")), "the output of the rule that is gone");
  await endsRight(watch, root);
});

test("rules and settings that change during a build are taken up by the next one, and what it tells is what it does (trap 59)", async () => {
  const root = project();
  assert.equal(buildAsTold(root), ["out/quick", "out/slow"]);
  put(root, "hold", "");
  put(root, "source", "1");
  const build = start(root, "build");
  await build.tells(/running 1/);
  editRules(root);
  unlinkSync(join(root, "hold"));
  assert.is((await build.end()).exit, 0, build.told);
  assert.is(textOf(root, "out/slow"), "slow 1");
  assert.equal(buildAsTold(root), ["out/new", "out/quicker", "out/slow"]);
  assert.equal(
    [textOf(root, "out/slow"), textOf(root, "out/new"), existsSync(join(root, "out/quick"))],
    ["slower 1", "us-east-1", false],
  );
  assert.equal(buildAsTold(root), []);
});

test("rules that are broken during a build and repaired after it are no half-old graph (trap 59)", async () => {
  const root = project();
  const watch = await watching(root);
  await held(root, watch, "1");
  const good = textOf(root, "Dofile.ts");
  put(
    root,
    "Dofile.ts",
    good
      .replace("return [", "return [[")
      .replace('rule({ target: "out/quick"', 'rule({{ target: "out/quick"'),
  );
  unlinkSync(join(root, "hold"));
  await watch.tells(/Dofile\.ts:\d+:\d+: error/);
  put(root, "source", "2");
  put(root, "Dofile.ts", good);
  await becomes(root, "out/slow", (text) => text === "slow 2");
  await endsRight(watch, root);
});

test("what watch writes itself does not make it build again, also where an output is an input elsewhere or lies in a folder that a glob searches (trap 60)", async () => {
  const root = projectOf(
    `import { file, glob, project, rule } from "dospesos";
export default project(({ glob: find }) => {
  const made = Array.from({ length: 20 }, (_, n) => rule({ target: "made-" + n + ".txt", needs: { source: file("source.txt") }, recipe: ({ source }) => source.text + n }));
  const again = rule({ target: "sub/again.txt", needs: { made, named: file("made-3.txt") }, recipe: ({ made, named }) => made.map((one) => one.text).join() + named.text });
  return [again, rule({ target: "sub/list.txt", needs: { all: glob("**/*.txt"), again }, recipe: ({ all }) => all.map((one) => one.path).join() + find("*.txt").length })];
});
`,
    { "source.txt": "0" },
  );
  const watch = await watching(root);
  const from = watch.told.length;
  put(root, "source.txt", "1");
  await becomes(root, "sub/again.txt", (text) => text.startsWith("10,11,"));
  await watch.tells(/made in/, from);
  const cpu = (): number =>
    textOf(`/proc/${watch.child.pid}`, "stat")
      .replace(/^.*\) /s, "")
      .split(" ")
      .slice(11, 13)
      .reduce((sum, ticks) => sum + Number(ticks), 0) * 10;
  // Quiet is what this is about: one second of it.
  await new Promise((resolve) => setTimeout(resolve, 200));
  const [told, before] = [watch.told, cpu()];
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.is(watch.told, told);
  assert.is(told.slice(from).match(/made in/g)?.length, 1, told);
  assert.ok(cpu() - before <= 50, `${cpu() - before} ms of CPU in a second of quiet`);
  assert.equal(temporaryFiles(root), []);
  await endsRight(watch, root, ["sub", ...Array.from({ length: 20 }, (_, n) => `made-${n}.txt`)]);
});

test("a failing build does not end a watch: it waits, is quiet, and builds again at the next change (trap 64)", async () => {
  const root = projectOf(
    `import { file, project, rule } from "dospesos";
export default project(() => [
  rule({ target: "out/copy", needs: { source: file("source.txt") }, recipe: ({ source }) => { if (source.text.startsWith("bad")) throw new Error("bad source"); return source.text; } }),
  rule({ target: "out/other", needs: { other: file("other.txt") }, recipe: ({ other }) => other.text }),
]);
`,
    { "source.txt": "bad", "other.txt": "0" },
  );
  const watch = await watching(root);
  await watch.tells(/bad source/);
  // A log that is written into the project is no change that could put it right.
  for (let line = 0; line < 20; line++) {
    put(root, "watch.log", `${line}\n`);
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok(timesFailed(watch) <= 2, watch.told);
  // What does not need it is made meanwhile, and it is tried again with each save.
  put(root, "other.txt", "1");
  await becomes(root, "out/other", (text) => text === "1");
  const from = watch.told.length;
  put(root, "source.txt", "bad again");
  await watch.tells(/bad source/, from);
  put(root, "source.txt", "good");
  await watch.tells(/made +out\/copy/, from);
  assert.is(timesMade(watch, "out/copy"), 1);
  const before = watch.told.length;
  put(root, "source.txt", "bad");
  await watch.tells(/failed +out\/copy/, before);
  await endOf(watch);
  assert.is(textOf(root, "out/copy"), "good");
  put(root, "source.txt", "good");
  assert.equal(buildAsTold(root), ["out/copy"]);
});

test.run();

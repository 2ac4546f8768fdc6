import { mkdirSync, readdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, dospesos, PLAIN, start, Started } from "../support/bin.ts";
import { becomes, contentsOf, edit, projectOf, put, shippedProject, temporaryFiles, textOf } from "../support/folder.ts";
import { testWith } from "../support/tools.ts";

/** Starts a watch and waits until it sees changes. */
async function watching(root: string): Promise<Started> {
  const watch = start(root, "watch");
  await watch.tells(/watching:/);
  return watch;
}

async function endOf(watch: Started): Promise<void> {
  watch.kill("SIGINT");
  const { exit, stderr } = await watch.end(3000);
  assert.is(exit, 130, stderr);
}

const TEXTS = `import { file, glob, project, rule } from "dospesos";
export default project(() => [
  rule({ target: "out/copy.txt", needs: { source: file("source/a.txt") }, recipe: ({ source }) => source.text }),
  rule({ target: "out/all.txt", needs: { all: glob("source/**/*.txt") }, recipe: ({ all }) => all.map((one) => one.path + ": " + one.text).join("") }),
]);
`;

function texts(): string {
  return projectOf(TEXTS, { "source/a.txt": "0\n" });
}

test("a save of settings, a template, a rule or the Dofile of the shipped project is on disk at once, and no effect runs", async () => {
  const root = shippedProject();
  assert.is(dospesos(root, "build").exit, 0);
  const account = contentsOf(join(root, "terraform/state"));
  const watch = await watching(root);
  const times: number[] = [];
  for (let save = 0; save < 20; save++) {
    const begin = performance.now();
    edit(root, "templates/core/README.txt.njk", save === 0 ? "{{" : `#${save - 1} {{`, `#${save} {{`);
    await becomes(root, "edge/out/core-1/README.txt", (text) => text.includes(`#${save} `));
    times.push(performance.now() - begin);
  }
  const median = times.sort((a, b) => a - b)[10]!;
  console.error(`\nwatch: median of 20 saves of a template to bytes on disk ${Math.round(median)} ms (worst ${Math.round(times.at(-1)!)} ms)`);
  assert.ok(median < 1000, `${median} ms`);

  edit(root, "settings.ini", "root    = /greengrass/v2", "root    = /opt/greengrass");
  await becomes(root, "edge/out/core-1/config.yaml", (text) => text.includes("/opt/greengrass"));
  put(root, "templates/core/other.txt.njk", "another template\n");
  edit(root, "rules/core.ts", "templates/core/README.txt.njk", "templates/core/other.txt.njk");
  await becomes(root, "edge/out/core-1/README.txt", (text) => text === "another template\n");
  edit(root, "Dofile.ts", `group("thing-kit"`, `rule({ target: "extra.txt", recipe: () => "extra" }), group("thing-kit"`);
  await watch.tells(/Dofile\.ts/);
  edit(root, "Dofile.ts", "import { group, project }", "import { group, project, rule }");
  await becomes(root, "extra.txt", (text) => text === "extra");

  const from = watch.told.length;
  edit(root, "settings.ini", "region  = eu-west-1", "region  = eu-central-1");
  await becomes(root, "terraform/core/core-1.tfvars.json", (text) => text.includes("eu-central-1"));
  await watch.tells(/stale, and only dospesos build applies it: .*core core-1/, from);
  assert.is(watch.told.slice(from).match(/only dospesos build applies/g)?.length, 1);
  assert.equal(contentsOf(join(root, "terraform/state")), account);
  await endOf(watch);
});

test("every way in which editors save a file is seen", async () => {
  const root = texts();
  const watch = await watching(root);
  const path = join(root, "source/a.txt");
  const ways: Record<string, (text: string) => void> = {
    "in place": (text) => writeFileSync(path, text),
    "temporary file and rename": (text) => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    },
    "backup and new file, as vim does": (text) => {
      renameSync(path, `${path}~`);
      writeFileSync(path, text);
      unlinkSync(`${path}~`);
    },
    "delete and make again": (text) => {
      unlinkSync(path);
      writeFileSync(path, text);
    },
  };
  for (const round of [1, 2]) {
    for (const [way, save] of Object.entries(ways)) {
      save(`${way} ${round}\n`);
      await becomes(root, "out/copy.txt", (text) => text === `${way} ${round}\n`);
    }
  }
  assert.not.match(watch.told, "DP001");
  await endOf(watch);
});

test("new files for a glob are seen, in known folders, in new ones and in ones that were removed and made again", async () => {
  const root = texts();
  const watch = await watching(root);
  put(root, "source/b.txt", "b");
  await becomes(root, "out/all.txt", (text) => text.includes("source/b.txt: b"));
  mkdirSync(join(root, "source/deep/deeper"), { recursive: true });
  put(root, "source/deep/deeper/c.txt", "c");
  await becomes(root, "out/all.txt", (text) => text.includes("deeper/c.txt: c"));
  put(root, "source/deep/deeper/c.txt", "changed");
  await becomes(root, "out/all.txt", (text) => text.includes("deeper/c.txt: changed"));
  rmSync(join(root, "source/deep"), { recursive: true });
  await becomes(root, "out/all.txt", (text) => !text.includes("deeper"));
  put(root, "source/deep/deeper/c.txt", "again");
  await becomes(root, "out/all.txt", (text) => text.includes("deeper/c.txt: again"));
  renameSync(join(root, "source/deep"), join(root, "source/moved"));
  await becomes(root, "out/all.txt", (text) => text.includes("moved/deeper/c.txt: again") && !text.includes("source/deep"));
  put(root, "source/moved/deeper/c.txt", "moved and changed");
  await becomes(root, "out/all.txt", (text) => text.includes("moved and changed"));
  await endOf(watch);
});

test("a burst of saves makes few builds, and the last content wins", async () => {
  const root = texts();
  const watch = await watching(root);
  for (let n = 0; n < 50; n++) put(root, `source/file-${n}.txt`, "first");
  for (let n = 0; n < 50; n++) put(root, `source/file-${n}.txt`, `last ${n}`);
  await becomes(root, "out/all.txt", (text) => text.match(/last \d+/g)?.length === 50);
  assert.ok((watch.told.match(/out\/all\.txt/g)?.length ?? 0) <= 6, watch.told);
  await endOf(watch);
});

test("broken settings, templates, rules and Dofiles are told with their place, and watch goes on when they are repaired", async () => {
  const root = shippedProject();
  assert.is(dospesos(root, "build").exit, 0);
  const watch = await watching(root);
  const breaks: [string, string, string, RegExp][] = [
    ["settings.ini", "region  =", "region", /settings\.ini:7:\d+/],
    ["templates/core/README.txt.njk", "{{", "{{ (", /templates\/core\/README\.txt\.njk:\d+/],
    ["rules/core.ts", "export function core", "export funktion core", /rules\/core\.ts:\d+:\d+/],
    ["Dofile.ts", "group(", "group((", /Dofile\.ts:\d+:\d+/],
  ];
  for (const [name, good, bad, place] of breaks) {
    const from = watch.told.length;
    const whole = textOf(root, name);
    edit(root, name, good, bad);
    await watch.tells(place, from);
    writeFileSync(join(root, name), whole);
    edit(root, "templates/core/README.txt.njk", "{{", `${name} {{`);
    await becomes(root, "edge/out/core-1/README.txt", (text) => text.includes(name));
  }
  await endOf(watch);
  assert.is(dospesos(root, "build").exit, 0);
});

test("what watch writes itself does not make it build again", async () => {
  // The outputs stand beside their sources.
  const root = projectOf(`import { file, project, rule } from "dospesos";
export default project(() => Array.from({ length: 20 }, (_, n) => rule({ target: "made-" + n + ".txt", needs: { source: file("source.txt") }, recipe: ({ source }) => source.text + n })));
`, { "source.txt": "0" });
  const watch = await watching(root);
  put(root, "source.txt", "1");
  await becomes(root, "made-19.txt", (text) => text === "119");
  const cpu = (): number => textOf(`/proc/${watch.child.pid}`, "stat").replace(/^.*\) /s, "").split(" ").slice(11, 13).reduce((sum, ticks) => sum + Number(ticks), 0) * 10;
  // Quiet is what this is about: one second of it.
  await new Promise((resolve) => setTimeout(resolve, 200));
  const [told, before] = [watch.told, cpu()];
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.is(watch.told, told);
  assert.ok(cpu() - before <= 50, `${cpu() - before} ms of CPU in a second of quiet`);
  assert.equal(temporaryFiles(root), []);
  await endOf(watch);
});

test("a build beside a watch takes turns with it, and both are right afterwards", async () => {
  const root = texts();
  const watch = await watching(root);
  for (let round = 1; round <= 5; round++) {
    put(root, "source/a.txt", `round ${round}\n`);
    const build = start(root, "build");
    await becomes(root, "out/copy.txt", (text) => text === `round ${round}\n`);
    assert.is((await build.end()).exit, 0, build.told);
  }
  put(root, "source/a.txt", "last\n");
  await becomes(root, "out/copy.txt", (text) => text === "last\n");
  await becomes(root, "out/all.txt", (text) => text.includes("last\n"));
  await endOf(watch);
  assert.match(dospesos(root, "build").stderr, "nothing to do");
});

test("a watch that starts during a build waits for it and goes on from what it made", async () => {
  const root = projectOf(`import { existsSync, watch } from "node:fs";
import { file, project, rule } from "dospesos";
export default project(() => [rule({ target: "out.txt", needs: { source: file("source.txt") }, recipe: async ({ source }, { root }) => {
  if (!existsSync(root + "/go")) await new Promise<void>((resolve) => {
    const watcher = watch(root, () => { if (existsSync(root + "/go")) { watcher.close(); resolve(); } });
    process.stderr.write("recipe\\n");
  });
  return source.text;
} })]);
`, { "source.txt": "one" });
  const build = start(root, "build");
  await build.tells(/recipe/);
  const watch = start(root, "watch");
  await watch.tells(/dospesos build \(process \d+/);
  put(root, "go", "");
  assert.is((await build.end()).exit, 0);
  await watch.tells(/watching:/);
  assert.not.match(watch.told, /^made/m, watch.told);
  put(root, "source.txt", "two");
  await becomes(root, "out.txt", (text) => text === "two");
  await endOf(watch);
});

test("a killed watch leaves nothing that the next build stumbles over", async () => {
  const root = texts();
  const watch = await watching(root);
  put(root, "source/a.txt", "1\n");
  await becomes(root, "out/copy.txt", (text) => text === "1\n");
  watch.kill("SIGKILL");
  await watch.end();
  put(root, "source/a.txt", "2\n");
  assert.is(dospesos(root, "build").exit, 0);
  assert.is(textOf(root, "out/copy.txt"), "2\n");
  assert.match(dospesos(root, "build").stderr, "nothing to do");
  assert.equal(readdirSync(join(root, ".dospesos")).sort(), ["cache", "snapshot"]);
});

testWith(test, ["unshare", "sh"], "where the system's limit for watches is reached it says so once, polls, and still sees every save", async () => {
  const root = texts();
  const script = `echo 0 > /proc/sys/user/max_inotify_watches && exec "$0" "$1" watch`;
  const watch = new Started(root, "unshare", ["-Ur", "sh", "-c", script, process.execPath, BIN], { env: PLAIN });
  try {
    await watch.tells(/watching:/);
  } catch (error) {
    if (!/unshare|Permission denied|Read-only|nonexistent/.test(watch.told)) throw error;
    console.error(`\nNOT RUN (no user namespaces here): ${watch.told}`);
    return;
  }
  await watch.tells(/limit for watches is reached/);
  for (const round of [1, 2, 3]) {
    put(root, "source/a.txt", `polled ${round}\n`);
    await becomes(root, "out/copy.txt", (text) => text === `polled ${round}\n`);
  }
  put(root, "source/new.txt", "new");
  await becomes(root, "out/all.txt", (text) => text.includes("source/new.txt: new"));
  assert.is(watch.told.match(/limit for watches/g)?.length, 1);
  await endOf(watch);
});

test("a log that is written into the project starts no builds, also while a step fails", async () => {
  const root = projectOf(`import { file, project, rule } from "dospesos";
export default project(() => [rule({ target: "out.txt", needs: { source: file("source.txt") }, recipe: ({ source }) => { if (source.text === "bad\\n") throw new Error("bad source"); return source.text; } })]);
`, { "source.txt": "bad\n" });
  const watch = await watching(root);
  await watch.tells(/bad source/);
  for (let line = 0; line < 20; line++) put(root, "watch.log", `${line}\n`);
  put(root, "source.txt", "good\n");
  await becomes(root, "out.txt", (text) => text === "good\n");
  assert.ok(watch.told.match(/bad source/g)!.length <= 2, watch.told);
  await endOf(watch);
});

test.run();

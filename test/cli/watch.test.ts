import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { dospesos, start } from "../support/bin.ts";
import { becomes, contentsOf, edit, projectOf, put, shippedProject, textOf } from "../support/folder.ts";
import { buildAsTold } from "../support/told.ts";
import { endOf, endsRight, projectOfTexts, watching } from "../support/watching.ts";

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
  console.error(
    `\nwatch: median of 20 saves of a template to bytes on disk ${Math.round(median)} ms (worst ${Math.round(times.at(-1)!)} ms)`,
  );
  assert.ok(median < 1000, `${median} ms`);

  edit(root, "settings.ini", "root    = /greengrass/v2", "root    = /opt/greengrass");
  await becomes(root, "edge/out/core-1/config.yaml", (text) => text.includes("/opt/greengrass"));
  put(root, "templates/core/other.txt.njk", "another template\n");
  edit(root, "rules/core-bundle.ts", "templates/core/README.txt.njk", "templates/core/other.txt.njk");
  await becomes(root, "edge/out/core-1/README.txt", (text) => text === "another template\n");
  edit(
    root,
    "Dofile.ts",
    `group("deployment"`,
    `rule({ target: "extra.txt", recipe: () => "extra" }), group("deployment"`,
  );
  await watch.tells(/Dofile\.ts/);
  edit(root, "Dofile.ts", "import { group, project }", "import { group, project, rule }");
  await becomes(root, "extra.txt", (text) => text === "extra");

  const from = watch.told.length;
  edit(root, "settings.ini", "region  = eu-west-1", "region  = eu-central-1");
  await becomes(root, "terraform/core/core-1.tfvars.json", (text) => text.includes("eu-central-1"));
  await watch.tells(/not applied while watching; run npx dospesos build: .*core core-1/, from);
  assert.is(watch.told.slice(from).match(/not applied while watching/g)?.length, 1);
  assert.equal(contentsOf(join(root, "terraform/state")), account);
  await endOf(watch);
});

test("broken settings, templates, rules and Dofiles are reported with their place, and watch goes on when they are repaired", async () => {
  const root = shippedProject();
  assert.is(dospesos(root, "build").exit, 0);
  const watch = await watching(root);
  const breaks: [string, string, string, RegExp][] = [
    ["settings.ini", "region  =", "region", /settings\.ini:7:\d+/],
    ["templates/core/README.txt.njk", "{{", "{{ (", /templates\/core\/README\.txt\.njk:\d+/],
    [
      "rules/core-bundle.ts",
      "export function core",
      "export funktion core",
      /rules\/core-bundle\.ts:\d+:\d+/,
    ],
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

test("a build beside a watch takes turns with it, and both are right afterwards (trap 50)", async () => {
  const root = projectOfTexts();
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
  await endsRight(watch, root);
  assert.match(dospesos(root, "build").stderr, "nothing to do");
});

test("a watch that starts during a build waits for it and goes on from what it made (trap 50)", async () => {
  const root = projectOf(
    `import { existsSync, watch } from "node:fs";
import { file, project, rule } from "dospesos";
export default project(() => [rule({ target: "out.txt", needs: { source: file("source.txt") }, recipe: async ({ source }, { root }) => {
  if (!existsSync(root + "/go")) await new Promise<void>((resolve) => {
    const watcher = watch(root, () => { if (existsSync(root + "/go")) { watcher.close(); resolve(); } });
    process.stderr.write("recipe\\n");
  });
  return source.text;
} })]);
`,
    { "source.txt": "one" },
  );
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

test("a killed watch leaves nothing that the next build stumbles over (trap 45)", async () => {
  const root = projectOfTexts();
  const watch = await watching(root);
  put(root, "source/a.txt", "1\n");
  await becomes(root, "out/copy.txt", (text) => text === "1\n");
  watch.kill("SIGKILL");
  await watch.end();
  put(root, "source/a.txt", "2\n");
  assert.equal(buildAsTold(root), ["out/all.txt", "out/copy.txt"]);
  assert.is(textOf(root, "out/copy.txt"), "2\n");
  assert.match(dospesos(root, "build").stderr, "nothing to do");
  assert.equal(readdirSync(join(root, ".dospesos")).sort(), ["cache", "lock", "snapshot"]);
});

test.run();

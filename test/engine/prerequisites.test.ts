import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { tempFolder } from "../support/temp.ts";
import { TestProject } from "./project.ts";

const RULE = `import { rule } from "dospesos";`;

/** Two modules of rules with a helper each and one for both, and a rule of a wrapper's. */
const MODULES = {
  "rules/a.ts": `${RULE}\nimport { shared } from "./shared.ts";\nimport { onlyA } from "./only-a.ts";\nexport const a = () => rule({ target: "out/a", recipe: () => shared + onlyA });\n`,
  "rules/b.ts": `${RULE}\nimport { shared } from "./shared.ts";\nexport const b = () => rule({ target: "out/b", recipe: () => shared });\n`,
  "rules/c.ts": `import { wrap } from "./wrap.ts";\nexport const c = () => wrap("out/c", () => "c1");\n`,
  "rules/wrap.ts": `${RULE}\nexport const wrap = (target: string, text: () => string) => rule({ target, recipe: () => "<" + text() + ">" });\n`,
  "rules/shared.ts": `export const shared = "shared 1 ";\n`,
  "rules/only-a.ts": `export const onlyA = "only 1";\n`,
};
const IMPORTS = `import { a } from "./rules/a.ts";\nimport { b } from "./rules/b.ts";\nimport { c } from "./rules/c.ts";`;

test("an edit of a module of rules, of a helper or of a wrapper runs exactly the steps whose code it is (trap 26)", async () => {
  const project = new TestProject("return [a(), b(), c()];", MODULES, IMPORTS);
  assert.equal((await project.build()).ran, ["out/a", "out/b", "out/c"]);
  await project.settled();
  for (const [module, ran] of [
    ["rules/a.ts", ["out/a"]], ["rules/b.ts", ["out/b"]], ["rules/c.ts", ["out/c"]], ["rules/wrap.ts", ["out/c"]],
    ["rules/only-a.ts", ["out/a"]], ["rules/shared.ts", ["out/a", "out/b"]],
  ] as const) {
    project.write(module, project.text(module).replace(/1|"</, (found) => (found === "1" ? "2" : `"[`)).concat("// edited\n"));
    assert.is(project.nothingToDo(), false);
    const outcome = await project.build();
    assert.equal(outcome.ran, ran, module);
    assert.equal(outcome.reasons[ran[0]], [{ kind: "recipe" }]);
    await project.settled();
  }
});

test("a function or a value that the Dofile hands to a rule of another module is its code, too (trap 26)", async () => {
  const project = new TestProject(`const text = "one"; return [wrap("out/x", () => "x1"), wrap("out/y", () => text)];`, MODULES, `import { wrap } from "./rules/wrap.ts";`);
  await project.build();
  project.write("Dofile.ts", project.text("Dofile.ts").replace("x1", "x2"));
  await project.build();
  assert.is(project.text("out/x"), "<x2>");
  await project.settled();
  project.write("Dofile.ts", project.text("Dofile.ts").replace('"one"', '"two"'));
  await project.build();
  assert.is(project.text("out/y"), "<two>");
  await project.settled();
});

test("a value that the Dofile gets from a helper and hands on is a prerequisite of what it hands it to (trap 26)", async () => {
  const project = new TestProject(`return [a(), wrap("out/x", () => greeting)];`, { ...MODULES, "greeting.ts": `export const greeting = "hello";\n` },
    `import { a } from "./rules/a.ts";\nimport { wrap } from "./rules/wrap.ts";\nimport { greeting } from "./greeting.ts";`);
  await project.build();
  project.write("greeting.ts", `export const greeting = "good day";\n`);
  await project.build();
  assert.is(project.text("out/x"), "<good day>");
  await project.settled();
});

test("a comment in the Dofile runs nothing (trap 26)", async () => {
  const project = new TestProject("return [a(), b()];", MODULES, `import { a } from "./rules/a.ts";\nimport { b } from "./rules/b.ts";`);
  await project.build();
  project.write("Dofile.ts", `// a word\n${project.text("Dofile.ts")}\n/* and another */\n`);
  assert.equal((await project.build()).ran, []);
  await project.settled();
});

test("a module that only passes on the rules of others does not tie them together (trap 26)", async () => {
  const project = new TestProject("return [a(), b()];", { ...MODULES, "rules/index.ts": `export { a } from "./a.ts";\nexport { b } from "./b.ts";\n` }, `import { a, b } from "./rules/index.ts";`);
  await project.build();
  project.write("rules/a.ts", project.text("rules/a.ts").replace("shared + onlyA", "onlyA + shared"));
  assert.equal((await project.build()).ran, ["out/a"]);
  await project.settled();
});

test("an upgrade of the program runs every step once (traps 26, 27)", async () => {
  const project = new TestProject("return [a()];", MODULES, `import { a } from "./rules/a.ts";`);
  await project.build();
  project.program = "program 2";
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).ran, ["out/a"]);
  await project.settled();
});

test("an environment variable runs what reads it; unset and empty differ; nothing to do is found with one (trap 26)", async () => {
  const project = new TestProject(`return [
    rule({ target: "out/read", recipe: (_, { env }) => String(env("ENGINE_TEST")) }), rule({ target: "out/not", recipe: () => "" }),
  ];`);
  delete process.env["ENGINE_TEST"];
  try {
    await project.build();
    await project.settled();
    for (const value of ["", "one", "two"]) {
      process.env["ENGINE_TEST"] = value;
      assert.is(project.nothingToDo(), false);
      const outcome = await project.build();
      assert.equal([outcome.ran, outcome.reasons["out/read"]], [["out/read"], [{ kind: "environment", key: "ENGINE_TEST" }]]);
      assert.is(project.text("out/read"), value);
      await project.settled();
    }
    assert.not.match(project.text(".dospesos/snapshot"), "two", "its value is not kept");
  } finally {
    delete process.env["ENGINE_TEST"];
  }
});

test("an environment variable that is read no more keeps nothing from being fresh", async () => {
  const project = new TestProject(`return [rule({ target: "out/read", recipe: (_, { env }) => String(env("ENGINE_TEST")) })];`);
  await project.build();
  project.dofile(`return [rule({ target: "out/read", recipe: () => "no" })];`);
  await project.build();
  process.env["ENGINE_TEST"] = "set";
  try {
    await project.settled();
  } finally {
    delete process.env["ENGINE_TEST"];
  }
});

test("a settings key runs what reads it; a comment, another key and the order of sections run nothing (trap 28)", async () => {
  const project = new TestProject(`
    const cores = settings.cores.map((core) => rule({ target: "out/" + core.name, recipe: (_, { settings }) => settings.aws.region + settings.cores.get(core.name).group }));
    return [...cores, rule({ target: "out/name", recipe: () => settings.instance.name })];
  `);
  await project.build();
  await project.settled();
  project.setting("group = two", "group = three");
  const outcome = await project.build();
  assert.equal([outcome.ran, outcome.reasons["out/b"]], [["out/b"], [{ kind: "setting", key: "core b.group", from: "two", to: "three" }]]);
  await project.settled();
  project.setting("[aws]", "; a comment\n[aws]");
  assert.equal((await project.build()).ran, []);
  await project.settled();
  project.write("settings.ini", project.text("settings.ini").replace(/\[instance\]\nname = demo\n/, "").concat("[instance]\nname = demo\n"));
  assert.equal((await project.build()).ran, []);
  await project.settled();
  project.setting("eu-west-1", "us-east-1");
  assert.equal((await project.build()).ran, ["out/a", "out/b"]);
  await project.settled();
});

test("a key that is deleted and comes back with the same value runs nothing (trap 28)", async () => {
  const project = new TestProject(`return settings.cores.map((core) => rule({ target: "out/" + core.name, recipe: () => core.group }));`);
  await project.build();
  const text = project.text("settings.ini");
  project.setting("group = two\n", "");
  project.write("settings.ini", text);
  assert.equal((await project.build()).ran, []);
  await project.settled();
});

test("a new core makes its own targets and no other; a core that is gone takes its own with it (trap 28)", async () => {
  const project = new TestProject(`
    const cores = settings.cores.map((core) => rule({ target: "out/" + core.name, recipe: () => core.group }));
    return [group("all", cores), ...settings.things.map((thing) => rule({ target: "out/thing-" + thing.name, recipe: () => thing.core }))];
  `);
  await project.build();
  project.write("settings.ini", `${project.text("settings.ini")}[core c]\ngroup = three\n[thing t]\ncore = c\n`);
  assert.equal((await project.build()).ran, ["out/c", "out/thing-t"]);
  await project.settled();
  project.setting("[core b]\ngroup = two\n", "");
  const outcome = await project.build();
  assert.equal([outcome.ran, outcome.removed], [[], ["out/b"]]);
  await project.settled();
});

test("a list of names that a recipe reads runs it when a name comes", async () => {
  const project = new TestProject(`return [rule({ target: "out/names", recipe: (_, { settings }) => settings.cores.map((core) => core.name).join() })];`);
  await project.build();
  project.write("settings.ini", `${project.text("settings.ini")}[core c]\n`);
  const outcome = await project.build();
  assert.equal(outcome.reasons["out/names"], [{ kind: "names", key: "core", from: ["a", "b"], to: ["a", "b", "c"] }]);
  assert.is(project.text("out/names"), "a,b,c");
  await project.settled();
});

test("what the Dofile reads itself is a prerequisite of the steps whose recipes it may have been closed over (trap 26)", async () => {
  for (const [body, name] of [
    [`const region = settings.aws.region; return [rule({ target: "out/x", recipe: () => region })];`, "value"],
    [`return settings.cores.map((core) => { const region = settings.aws.region; return rule({ target: "out/" + core.name, recipe: () => region }); });`, "inside of map"],
    [`const all = settings.cores.map(() => settings.aws.region); return [rule({ target: "out/x", recipe: () => all.join() })];`, "given by map"],
    [`const all = settings.cores.map(() => settings.aws.region); return settings.cores.map((core) => rule({ target: "out/" + core.name, recipe: () => all.join() }));`, "given to another map"],
    [`const all: string[] = []; for (const core of settings.cores) all.push(settings.aws.region); return [rule({ target: "out/x", recipe: () => all.join() })];`, "for of"],
    [`const steps: ReturnType<typeof rule>[] = []; settings.cores.map((core) => { const { region } = settings.aws; steps.push(rule({ target: "out/" + core.name, recipe: () => region }) as never); }); return steps;`, "map that gives nothing"],
  ] as const) {
    const project = new TestProject(body);
    assert.equal((await project.build()).problems, [], name);
    project.setting("eu-west-1", "us-east-1");
    assert.ok((await project.build()).ran.length > 0, name);
    await project.settled();
  }
});

test("a fact that comes out equal runs nothing above it: other key order, -0, undefined; an unequal one runs all (trap 29)", async () => {
  const project = new TestProject(`
    const value = fact({ name: "value", needs: { source: file("source") }, recipe: ({ source }) => new Function("return " + source.text)() as unknown });
    return [rule({ target: "out/value", needs: { value }, recipe: ({ value }) => JSON.stringify(value) })];
  `, { source: `{ a: 1, b: [0], c: undefined }` });
  await project.build();
  for (const same of [`{ b: [-0], a: 1 }`, `{ b: [0], a: 1.0, c: undefined, d: undefined }`]) {
    project.write("source", same);
    assert.equal((await project.build()).ran, ["value"], same);
    await project.settled();
  }
  project.write("source", `{ a: 2, b: [0] }`);
  const outcome = await project.build();
  assert.equal([outcome.ran, outcome.reasons["out/value"]], [["out/value", "value"], [{ kind: "fact", name: "value", from: { a: 1, b: [0] }, to: { a: 2, b: [0] } }]]);
  await project.settled();
});

test("a fact that JSON cannot hold is a problem that names the place in it (trap 29)", async () => {
  for (const [value, path] of [["{ a: [NaN] }", "value.a[0]"], ["10n", "value"], ["{ a: { when: new Date(0) } }", "value.a.when"], ["undefined", "value"], ["() => 1", "value"]]) {
    const { problems } = await new TestProject(`return [fact({ name: "x", recipe: () => (${value}) as unknown })];`).build();
    assert.equal(problems.map((one) => one.code), ["DP226"]);
    assert.ok(problems[0]!.what.startsWith(`x: ${path} is`), problems[0]!.what);
  }
});

const LIST = `return [rule({ target: "out/list", needs: { all: glob("in/**/*.txt") }, recipe: ({ all }) => all.map((one) => one.path + "=" + one.text).join("\\n") })];`;

test("a glob runs what needs it when a match comes, goes, is renamed, becomes a folder, or lies in a new folder (trap 30)", async () => {
  const project = new TestProject(LIST, { "in/a.txt": "a" });
  await project.build();
  await project.settled();
  const steps: [string, () => void, boolean][] = [
    ["added", () => project.write("in/b.txt", "b"), true],
    ["not matching", () => project.write("in/b.md", "b"), false],
    ["dotfile", () => project.write("in/.c.txt", "c"), false],
    ["in a new folder", () => project.write("in/deep/er/d.txt", "d"), true],
    ["renamed", () => { project.write("in/e.txt", project.text("in/b.txt")); project.remove("in/b.txt"); }, true],
    ["removed", () => project.remove("in/e.txt"), true],
    ["a folder now", () => { project.remove("in/a.txt"); project.write("in/a.txt/x.md", ""); }, true],
    ["content", () => project.write("in/deep/er/d.txt", "dd"), true],
    ["the folder renamed", () => { project.write("in/other/d.txt", "dd"); project.remove("in/deep"); project.remove("in/deep/er/d.txt"); }, true],
  ];
  for (const [name, change, runs] of steps) {
    change();
    assert.is(project.nothingToDo(), false, name);
    assert.equal((await project.build()).ran, runs ? ["out/list"] : [], name);
    await project.settled();
  }
});

test("outputs in the folder that a glob searches are no matches, so the build ends and the next one has nothing to do (trap 30)", async () => {
  for (const pattern of ["*.txt", "**/*.txt"]) {
    const project = new TestProject(`
      const copies = find("${pattern}").map((name) => rule({ target: "copy-of-" + name.replaceAll("/", "-"), needs: { one: file(name) }, recipe: ({ one }) => one.text }));
      return [...copies, rule({ target: "all.txt", needs: { all: glob("${pattern}") }, recipe: ({ all }) => all.map((one) => one.path).join() })];
    `, { "a.txt": "a", "b.txt": "b" });
    await project.build();
    assert.is(project.text("all.txt"), "a.txt,b.txt");
    await project.settled();
    project.write("c.txt", "c");
    // The list can be closed over by every recipe that was declared after it.
    assert.equal((await project.build()).ran, ["all.txt", "copy-of-a.txt", "copy-of-b.txt", "copy-of-c.txt"]);
    await project.settled();
    project.remove("a.txt");
    assert.equal((await project.build()).removed, ["copy-of-a.txt"]);
    await project.settled();
  }
});

test("a leftover of a rule that is gone is no match of the new graph's globs (trap 30)", async () => {
  const project = new TestProject(`return [rule({ target: "pages/old.md", recipe: () => "old" })];`);
  await project.build();
  project.dofile(`return find("pages/*.md").map((name) => rule({ target: name + ".html", needs: { page: file(name) }, recipe: ({ page }) => page.text }));`);
  project.write("pages/new.md", "new");
  const outcome = await project.build();
  assert.equal([outcome.removed, outcome.ran], [["pages/old.md"], ["pages/new.md.html"]]);
  await project.settled();
});

test("a glob that nobody asks any more keeps nothing from being fresh", async () => {
  const project = new TestProject(LIST, { "in/a.txt": "a" });
  await project.build();
  project.dofile(`return [rule({ target: "out/list", recipe: () => "none" })];`);
  await project.build();
  project.write("in/b.txt", "b");
  await project.settled();
});

test("a file that a recipe looked for in vain runs it when it comes, also in a folder that was not there (traps 31, 33)", async () => {
  const project = new TestProject(`return [rule({ target: "out/x", recipe: (_, { readIfExists }) => readIfExists("over/ride/it")?.text ?? "default" })];`);
  await project.build();
  assert.is(project.text("out/x"), "default");
  await project.settled();
  project.write("over/ride/it", "mine");
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).reasons["out/x"], [{ kind: "file", path: "over/ride/it", change: "appeared" }]);
  await project.settled();
  project.remove("over");
  project.remove("over/ride/it");
  assert.equal((await project.build()).reasons["out/x"], [{ kind: "file", path: "over/ride/it", change: "vanished" }]);
  await project.settled();
});

test("a template that is included is a prerequisite, and one that goes with the line that included it is none (trap 31)", async () => {
  const project = new TestProject(`return [rule({ target: "out/x.txt", recipe: (_, { render }) => render("t/outer.txt.njk", { who: "world" }) })];`,
    { "t/outer.txt.njk": `Hello {% include "inner.txt.njk" %}!`, "t/inner.txt.njk": "dear {{ who }}" });
  const first = await project.build();
  if (first.problems.length > 0) { project.write("t/outer.txt.njk", `Hello {% include "t/inner.txt.njk" %}!`); await project.build(); }
  assert.match(project.text("out/x.txt"), "dear world");
  await project.settled();
  project.write("t/inner.txt.njk", "you {{ who }}");
  assert.equal((await project.build()).ran, ["out/x.txt"]);
  await project.settled();
  project.write("t/outer.txt.njk", "Hello.");
  project.remove("t/inner.txt.njk");
  assert.equal((await project.build()).ran, ["out/x.txt"]);
  await project.settled();
});

test("a missing source is a problem that names it and who needs it; a missing output of a rule is made (trap 32)", async () => {
  const project = new TestProject(`
    const made = rule({ target: "gen/made", recipe: () => "made" });
    return [rule({ target: "out/x", needs: { source: file("source"), made }, recipe: ({ source, made }) => source.text + made.text })];
  `, { source: "s" });
  await project.build();
  project.remove("source");
  rmSync(project.path("gen"), { recursive: true });
  const outcome = await project.build();
  assert.equal([outcome.ran, outcome.failed], [["gen/made"], ["out/x"]]);
  assert.equal(outcome.problems.map((one) => [one.code, one.place?.file, one.why]), [["DP227", "source", "out/x needs it"]]);
});

test("a link that is retargeted, dangles, loops, or whose target changes is noticed (trap 34)", async () => {
  const project = new TestProject(`return [rule({ target: "out/x", recipe: (_, { readIfExists }) => readIfExists("dir/link")?.text ?? "none" })];`, { "real/1/f": "1", "real/2/f": "2" });
  project.link("../real/1/f", "dir/link");
  const expect = async (text: string): Promise<void> => {
    assert.is(project.nothingToDo(), false);
    await project.build();
    assert.is(project.text("out/x"), text);
    await project.settled();
  };
  await expect("1");
  project.link("../real/2/f", "dir/link");
  await expect("2");
  project.write("real/2/f", "3");
  await expect("3");
  project.link("../nowhere", "dir/link");
  await expect("none");
  project.link("link", "dir/link");
  const looping = await project.build();
  assert.equal(looping.problems.map((one) => one.place?.file), ["dir/link"]);
  project.link("../real/1/f", "dir/link");
  await expect("1");
});

test("a link to a folder above an input that is retargeted is noticed (trap 34)", async () => {
  const project = new TestProject(`return [rule({ target: "out/x", needs: { one: file("current/f"), all: glob("current/*") }, recipe: ({ one, all }) => one.text + all.length })];`, { "real/1/f": "1", "real/2/f": "2", "real/2/g": "" });
  project.link("real/1", "current");
  await project.build();
  assert.is(project.text("out/x"), "11");
  await project.settled();
  project.link("real/2", "current");
  assert.is(project.nothingToDo(), false);
  await project.build();
  assert.is(project.text("out/x"), "22");
  await project.settled();
});

test("x, ./x, a/../x and the absolute path are one file (trap 35)", async () => {
  const project = new TestProject(`
    const made = rule({ target: "./gen/a/../made", recipe: () => "made" });
    return [made, rule({ target: "out/x", needs: { one: file("gen/made"), two: file("./source") }, recipe: ({ one, two }, { read, root }) => one.text + two.text + read(root + "/source").text + read("x/../source").text })];
  `, { source: "s" });
  const outcome = await project.build();
  assert.equal([outcome.problems, outcome.ran], [[], ["gen/made", "out/x"]]);
  assert.is(project.text("out/x"), "madesss");
  await project.settled();
});

const ODD = ["with space", "new\nline", `quo"te'`, "$HOME", "-rf", "caf\u00e9", "e\u0301", "\u{1f600}", "x".repeat(255), "a:b", "a-b", "tab\t", "[a]", "{b,c}", "*", "back\\slash", "__proto__"];

test("names with spaces, line breaks, quotes, accents, wildcards and 255 bytes are names like any other (traps 36, 37)", async () => {
  const project = new TestProject(`
    const names = ${JSON.stringify(ODD)};
    const made = names.map((name) => rule({ target: "out/" + name, needs: { source: file("in/" + name) }, recipe: ({ source }) => source.text }));
    return [...made, rule({ target: "list", needs: { all: glob("in/*"), made }, recipe: ({ all }) => all.map((one) => one.text).sort().join() })];
  `, Object.fromEntries(ODD.map((name, index) => [`in/${name}`, String(index)])));
  const outcome = await project.build();
  assert.equal(outcome.problems, []);
  ODD.forEach((name, index) => assert.is(project.text(`out/${name}`), String(index)));
  assert.is(project.text("list").split(",").length, ODD.length);
  await project.settled();
  project.write("in/new\nline", "changed");
  assert.equal((await project.build()).ran, ["list", "out/new\nline"]);
  await project.settled();
  const json = project.run(["build", "--json", "--force", "out/new\nline"]);
  assert.is(json.code, 0, json.err);
  const lines = json.out.trim().split("\n").map((line) => JSON.parse(line) as { target?: string });
  assert.ok(lines.some((line) => line.target === "out/new\nline"));
});

test("an undeclared read of what another rule makes is a problem, at any -j (trap 44)", async () => {
  for (const jobs of [1, 64]) {
    const project = new TestProject(`return [
      rule({ target: "out/reads", recipe: (_, { read }) => read("out/made").text }), rule({ target: "out/made", recipe: () => "made" }),
    ];`);
    for (const round of [1, 2]) {
      const { problems } = await project.build([], { jobs, keepGoing: true });
      assert.equal(problems.map((one) => [one.code, one.place?.file]), [["DP221", "out/made"]], `round ${round}`);
    }
  }
});

test("settings that are saved while a build runs are seen by the next one, also when they were broken in between", async () => {
  for (const [region, code] of [["us-east-1", "out/late"], ["!", undefined]] as const) {
    const project = new TestProject(`
      const early = rule({ target: "out/early", recipe: async (_, { settings, root }) => {
        const { region } = settings.aws;
        if (region === "eu-west-1") writeFileSync(root + "/settings.ini", readFileSync(root + "/settings.ini", "utf8").replace("eu-west-1", "${region}"));
        return region;
      } });
      return [rule({ target: "out/late", needs: { early }, recipe: ({ early }, { settings }) => early.text + settings.aws.region })];
    `, {}, `import { readFileSync, writeFileSync } from "node:fs";`);
    const first = await project.build();
    assert.is(first.summary?.failed, 0);
    assert.is(project.nothingToDo(), false);
    if (code === undefined) assert.is((await project.build()).problems[0]?.place?.file, "settings.ini");
    project.write("settings.ini", project.text("settings.ini").replace(region, "us-west-2"));
    await project.build();
    assert.is(project.text("out/late"), "us-west-2us-west-2");
    await project.settled();
  }
});

test("a source outside of the project, by its absolute path, is a prerequisite", async () => {
  const outside = join(tempFolder("outside"), "f");
  writeFileSync(outside, "1");
  const project = new TestProject(`return [rule({ target: "out/x", needs: { one: file(${JSON.stringify(outside)}) }, recipe: ({ one }) => one.text })];`);
  await project.build();
  await project.settled();
  writeFileSync(outside, "2");
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).ran, ["out/x"]);
  await project.settled();
});

test("a folder that a glob searched and that became a file, or went away, is noticed", async () => {
  const project = new TestProject(LIST, { "in/a.txt": "a", "in/sub/b.txt": "b" });
  await project.build();
  project.remove("in/sub");
  project.remove("in/sub/b.txt");
  assert.equal((await project.build()).ran, ["out/list"]);
  await project.settled();
  project.remove("in/a.txt");
  rmSync(project.path("in"), { recursive: true });
  assert.equal((await project.build()).ran, ["out/list"]);
  await project.settled();
  project.write("in/c.txt", "c");
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).ran, ["out/list"]);
  await project.settled();
  renameSync(project.path("in"), project.path("aside"));
  symlinkSync("aside", project.path("in"));
  assert.equal((await project.build()).failed, []);
  assert.is(project.text("out/list"), "in/c.txt=c");
  unlinkSync(project.path("in"));
  mkdirSync(project.path("in"));
  await project.build();
  assert.is(project.text("out/list"), "");
});

test("links that lead to a folder above them end a glob's search there (trap 34)", async () => {
  const project = new TestProject(`return [rule({ target: "out/all", recipe: (_, { glob }) => glob("in/**").map((one) => one.path).join() })];`, { "in/a/b/c": "c" });
  for (const name of ["in/a/up", "in/a/again", "in/a/b/top", "in/a/b/twice"]) project.link("..", name);
  assert.equal((await project.build()).problems, []);
  assert.match(project.text("out/all"), "in/a/b/c");
  project.write("in/a/b/d", "d");
  assert.equal((await project.build()).ran, ["out/all"]);
  await project.settled();
});

test.run();

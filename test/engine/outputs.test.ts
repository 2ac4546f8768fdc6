import { existsSync, lstatSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { tempFolder } from "../support/temp.ts";
import { builtChain, CHAIN } from "./chain.ts";
import { TestProject } from "./project.ts";

async function built(body: string): Promise<TestProject> {
  const project = new TestProject(body, { source: "abc" });
  assert.equal((await project.build()).failed, []);
  return project;
}

test("a deleted output is made again, and what needs it is not (trap 14)", async () => {
  const project = await builtChain();
  rmSync(project.path("out/upper"));
  assert.is(project.nothingToDo(), false);
  const second = await project.build();
  assert.equal(second.ran, ["out/upper"]);
  assert.equal(second.reasons["out/upper"], [{ kind: "target", path: "out/upper", change: "missing" }]);
  await project.settled();
});

test("an output edited by hand is reported and made again (trap 15)", async () => {
  const project = await builtChain();
  project.tamper("out/upper", "mine");
  assert.is(project.nothingToDo(), false);
  const second = await project.build();
  assert.equal(second.ran, ["out/upper"]);
  assert.equal(second.reasons["out/upper"], [{ kind: "target", path: "out/upper", change: "edited" }]);
  assert.is(project.text("out/upper"), "ABC");
  await project.settled();
});

test("an output that is there before the first build is no output of ours: it is made (trap 16)", async () => {
  const project = new TestProject(CHAIN, { source: "abc" });
  project.tamper("out/upper", "from a clone");
  assert.equal((await project.build()).ran, ["out/twice", "out/upper"]);
  await project.settled();
});

test("an output that became a link is replaced, and what it pointed to stays untouched (trap 17)", async () => {
  const project = await builtChain();
  const elsewhere = join(tempFolder("elsewhere"), "precious");
  for (const content of ["precious", "ABC"]) {
    writeFileSync(elsewhere, content);
    rmSync(project.path("out/upper"));
    symlinkSync(elsewhere, project.path("out/upper"));
    assert.is(project.nothingToDo(), false);
    assert.equal((await project.build()).ran, ["out/upper"]);
    assert.is(lstatSync(project.path("out/upper")).isFile(), true);
    assert.is(readFileSync(elsewhere, "utf8"), content);
    await project.settled();
  }
});

test("a folder in the place of an output is a problem that names it, and nothing in it is lost (trap 17)", async () => {
  const project = await builtChain();
  rmSync(project.path("out/upper"));
  project.tamper("out/upper/notes", "mine");
  const second = await project.build();
  assert.equal(second.failed, ["out/upper"]);
  assert.is(second.problems[0]?.location?.file, "out/upper");
  assert.is(project.text("out/upper/notes"), "mine");
  rmSync(project.path("out/upper"), { recursive: true });
  assert.equal((await project.build()).ran, ["out/upper"]);
  await project.settled();
});

test("a folder above an output that became a link out of the project is a problem, and nothing is written there (trap 17)", async () => {
  const project = await builtChain();
  const elsewhere = tempFolder("elsewhere");
  rmSync(project.path("out"), { recursive: true });
  symlinkSync(elsewhere, project.path("out"));
  const second = await project.build();
  assert.equal(
    second.problems.map((one) => one.code),
    ["DP212"],
  );
  assert.is(existsSync(join(elsewhere, "upper")), false);
  rmSync(project.path("out"));
  assert.equal((await project.build()).ran, ["out/twice", "out/upper"]);
  await project.settled();
});

test("a vanished output behind a folder that became a link out of the project is not removed there (trap 22)", async () => {
  const project = await builtChain();
  const elsewhere = tempFolder("elsewhere");
  rmSync(project.path("out"), { recursive: true });
  writeFileSync(join(elsewhere, "upper"), "ABC");
  writeFileSync(join(elsewhere, "twice"), "ABCABC");
  symlinkSync(elsewhere, project.path("out"));
  project.dofile("return [];");
  await project.build();
  assert.is(readFileSync(join(elsewhere, "upper"), "utf8"), "ABC");
  assert.is(readFileSync(join(elsewhere, "twice"), "utf8"), "ABCABC");
});

test("a step that gives the same bytes again keeps its file's mtime, and what needs it does not run (trap 18)", async () => {
  const project = await builtChain();
  const before = project.mtime("out/upper");
  project.write("source", "ABC");
  const second = await project.build();
  assert.equal([second.ran, second.fresh], [["out/upper"], ["out/twice"]]);
  assert.is(project.mtime("out/upper"), before);
  await project.settled();
});

test("a recipe that gives nothing, or a number, fails with the name of the target (trap 19)", async () => {
  const project = new TestProject(`
    return [
      rule({ target: "out/nothing", recipe: () => undefined as unknown as string }),
      rule({ target: "out/number", recipe: async () => 1 as unknown as string }),
      rule({ targets: { a: "out/a", b: "out/b" }, recipe: () => ({ a: "a" }) as unknown as { a: string, b: string } }),
      rule({ targets: { c: "out/c" }, recipe: () => undefined as unknown as { c: string } }),
      rule({ target: "out/good", recipe: () => "" }),
    ];
  `);
  const outcome = await project.build([], { keepGoing: true });
  assert.equal(
    [outcome.ran, outcome.failed],
    [["out/good"], ["out/a", "out/c", "out/nothing", "out/number"]],
  );
  assert.equal(outcome.problems.map((one) => one.location?.file).sort(), [
    "out/b",
    "out/c",
    "out/nothing",
    "out/number",
  ]);
  assert.is(project.exists("out/a"), false, "nothing half-written");
});

test("one of two outputs deleted: the step runs once and both are on record (trap 20)", async () => {
  const project = await built(`
    const pair = rule({ targets: { a: "out/a", b: "out/b" }, needs: { source: file("source") }, recipe: ({ source }) => ({ a: source.text, b: source.text + "!" }) });
    return [rule({ target: "out/c", needs: { b: pair.files.b }, recipe: ({ b }) => b.text })];
  `);
  rmSync(project.path("out/b"));
  const second = await project.build();
  assert.equal(second.ran, ["out/a"]);
  await project.settled();
});

test("two rules that claim one file, also by another path or in another case, are problems with both places (traps 21, 38)", async () => {
  for (const [first, second] of [
    ["out/a", "out/a"],
    ["out/a", "out/x/../a"],
    ["out/a", "./out/a"],
    ["out/A", "out/a"],
    ["Out/a", "out/a"],
    ["OUT/x/A", "out/X/a"],
    ["out/\u00e9", "out/e\u0301"],
  ]) {
    const project = new TestProject(`
return [
  rule({ target: ${JSON.stringify(first)}, recipe: () => "1" }),
  rule({ target: ${JSON.stringify(second)}, recipe: () => "2" }),
];`);
    const { problems, ran } = await project.build();
    assert.is(problems.length, 1);
    assert.is(problems[0]!.location?.file, "Dofile.ts");
    assert.is(problems[0]!.location?.line, 7);
    assert.equal(ran, []);
    assert.is(project.exists("out"), false);
  }
});

test("a target outside of the project, in .git, in .dospesos or the project itself is refused at load (trap 21)", async () => {
  for (const target of [
    "../out",
    "/tmp/out",
    ".",
    ".git/config",
    ".dospesos/snapshot",
    "node_modules/x",
    "",
    "a\0b",
  ]) {
    const { problems } = await new TestProject(
      `return [rule({ target: ${JSON.stringify(target)}, recipe: () => "" })];`,
    ).build();
    assert.equal(
      problems.map((one) => [one.code, one.location?.file]),
      [["DP231", "Dofile.ts"]],
      target,
    );
  }
});

test("a target below another target is a problem at load: one of them would have to be a folder", async () => {
  const { problems } = await new TestProject(
    `return [rule({ target: "out/a", recipe: () => "" }), rule({ target: "out/a/b", recipe: () => "" })];`,
  ).build();
  assert.equal(
    problems.map((one) => one.code),
    ["DP235"],
  );
});

test("a settings file or a module of the Dofile cannot be a target", async () => {
  for (const target of ["settings.ini", "Dofile.ts"]) {
    const project = new TestProject(
      `return [rule({ target: ${JSON.stringify(target)}, recipe: () => "" })];`,
    );
    const { problems } = await project.build();
    assert.equal(
      problems.map((one) => one.code),
      ["DP231"],
      target,
    );
    assert.is.not(project.text(target), "");
  }
});

test("the outputs of a rule that is gone are removed, and the folders that are empty then (trap 22)", async () => {
  const project = await built(
    `return [rule({ target: "out/deep/er/a", recipe: () => "a" }), rule({ target: "out/b", recipe: () => "b" })];`,
  );
  project.dofile(`return [rule({ target: "out/b", recipe: () => "b" })];`);
  assert.equal((await project.build()).removed, ["out/deep/er/a"]);
  assert.is(project.exists("out/deep"), false);
  assert.is(project.exists("out/b"), true);
  await project.settled();
});

test("an output of a rule that is gone stays if it was edited by hand (trap 22)", async () => {
  const project = await builtChain();
  project.tamper("out/upper", "mine");
  project.dofile("return [];");
  const second = await project.build();
  assert.equal(second.removed, ["out/twice"]);
  assert.match(second.notes.join(), /out\/upper .*edited by hand/);
  assert.is(project.text("out/upper"), "mine");
});

test("what was edited by hand and stays is a source of the globs from then on (trap 22)", async () => {
  const project = await built(
    `return [rule({ target: "in/x", recipe: () => "x" }), rule({ target: "out/list", recipe: (_, { glob }) => glob("in/*").map((one) => one.text).join() })];`,
  );
  assert.is(project.text("out/list"), "");
  project.tamper("in/x", "mine");
  project.dofile(
    `return [rule({ target: "out/list", recipe: (_, { glob }) => glob("in/*").map((one) => one.text).join() })];`,
  );
  await project.build();
  assert.is(project.text("out/list"), "mine");
  assert.is(project.nothingToDo(), true);
});

test("an output of a rule that is gone stays if it is a source now, declared or read or globbed (trap 22)", async () => {
  for (const recipe of [
    `rule({ target: "out/twice", needs: { one: file("out/upper") }, recipe: ({ one }) => one.text })`,
    `rule({ target: "out/twice", recipe: (_, { read }) => read("out/upper").text })`,
    `rule({ target: "out/twice", recipe: (_, { glob }) => glob("out/u*").map((one) => one.text).join() })`,
    `rule({ target: "out/twice", needs: { all: glob("out/u*") }, recipe: ({ all }) => all.map((one) => one.text).join() })`,
  ]) {
    const project = await builtChain();
    project.dofile(`return [${recipe}];`);
    const second = await project.build();
    if (recipe.includes("file(")) {
      assert.equal([second.removed, project.text("out/twice")], [[], "ABC"]);
    }
    // Nobody can know that a recipe is going to read it before it runs: the leftover is removed, as a clean
    // build would not have it.
    else {
      assert.equal(second.removed, ["out/upper"]);
    }
    if (!recipe.includes("file(") && !recipe.includes("read(")) {
      await project.settled();
    }
  }
});

test("a rule that moves to another function and module, with the same output, deletes nothing (trap 23)", async () => {
  const project = await builtChain();
  const before = project.mtime("out/upper");
  project.write(
    "rules.ts",
    `import { file, rule } from "dospesos";\nexport const renamed = () => rule({ target: "out/upper", needs: { source: file("source") }, recipe: ({ source }) => source.text.toUpperCase() });\n`,
  );
  project.dofile(
    `const upper = renamed(); return [rule({ target: "out/twice", needs: { upper }, recipe: ({ upper }) => upper.text + upper.text })];`,
    `import { renamed } from "./rules.ts";`,
  );
  const second = await project.build();
  assert.equal(second.removed, []);
  assert.is(project.mtime("out/upper"), before);
  await project.settled();
});

test("a renamed output: the old one is removed, the new one made (trap 24)", async () => {
  const project = await builtChain();
  project.dofile(CHAIN.replace("out/twice", "out/double"));
  const second = await project.build();
  assert.equal(
    [second.removed, second.ran],
    [["out/twice"], ["out/double", "out/upper"].filter((name) => second.ran.includes(name))],
  );
  assert.is(project.exists("out/twice"), false);
  await project.settled();
});

test("an output that moves from one rule to another and back is made by its owner each time (trap 25)", async () => {
  const a = `return [rule({ targets: { x: "out/x", y: "out/y" }, recipe: () => ({ x: "ax", y: "ay" }) })];`;
  const b = `return [rule({ target: "out/x", recipe: () => "bx" }), rule({ target: "out/y", recipe: () => "by" })];`;
  const project = await built(a);
  for (const [body, texts] of [
    [b, ["bx", "by"]],
    [a, ["ax", "ay"]],
    [b, ["bx", "by"]],
  ] as const) {
    project.dofile(body);
    const { removed } = await project.build();
    assert.equal(removed, []);
    assert.equal([project.text("out/x"), project.text("out/y")], texts);
    await project.settled();
  }
});

test("an output that becomes the second output of another rule stays, and goes with that rule (trap 25)", async () => {
  const project = await built(`return [rule({ target: "out/y", recipe: () => "by" })];`);
  project.dofile(
    `return [rule({ targets: { x: "out/x", y: "out/y" }, recipe: () => ({ x: "ax", y: "ay" }) })];`,
  );
  await project.build();
  await project.settled();
  project.dofile(`return [rule({ target: "out/z", recipe: () => "z" })];`);
  assert.equal((await project.build()).removed, ["out/x", "out/y"]);
  await project.settled();
});

test("a failing recipe leaves the previous output, and runs again next time even if its source is back (trap 47)", async () => {
  const project = await built(
    `return [rule({ target: "out/one", needs: { source: file("source") }, recipe: ({ source }) => { if (source.text === "bad") throw new Error("no"); return source.text; } })];`,
  );
  project.write("source", "bad");
  const second = await project.build();
  assert.equal(second.failed, ["out/one"]);
  assert.is(project.text("out/one"), "abc");
  assert.match(second.problems[0]!.what, "no");
  assert.equal([second.problems[0]!.location?.file, second.problems[0]!.location?.line], ["Dofile.ts", 4]);
  assert.is(project.nothingToDo(), false);
  project.write("source", "abc");
  assert.is(project.nothingToDo(), false);
  const third = await project.build();
  assert.equal([third.ran, third.reasons["out/one"]], [["out/one"], [{ kind: "failed" }]]);
  await project.settled();
});

test("with keep-going a failure stops only what needs it; without, nothing new is started", async () => {
  const body = `
    const bad = rule({ target: "out/bad", recipe: () => { throw new Error("no"); } });
    const above = rule({ target: "out/above", needs: { bad }, recipe: ({ bad }) => bad.text });
    return [above, rule({ target: "out/other", recipe: () => "other" })];
  `;
  const keeping = await new TestProject(body).build([], { keepGoing: true, jobs: 1 });
  assert.equal([keeping.ran, keeping.failed, keeping.skipped], [["out/other"], ["out/bad"], ["out/above"]]);
  const stopping = await new TestProject(body).build(["out/above"], { jobs: 1 });
  assert.equal([stopping.ran, stopping.failed, stopping.skipped], [[], ["out/bad"], ["out/above"]]);
});

test("--force runs every step that is needed, keeps mtimes of what came out the same, and no other step", async () => {
  const project = await built(
    `${CHAIN.replace("return [twice];", "")} return [twice, rule({ target: "out/other", recipe: () => "o" })];`,
  );
  const before = project.mtime("out/twice");
  const second = await project.build(["out/twice"], { force: true });
  assert.equal([second.ran, second.reasons["out/twice"]], [["out/twice", "out/upper"], [{ kind: "forced" }]]);
  assert.is(project.mtime("out/twice"), before);
  await project.settled();
});

test("a precious output that was replaced by hand is kept by its recipe, and stays when its rule goes", async () => {
  const project = await built(
    `return [rule({ target: "keys/key", precious: true, mode: 0o600, recipe: (_, { existing }) => existing("keys/key")?.text ?? "secret" })];`,
  );
  project.tamper("keys/key", "my own");
  assert.equal((await project.build()).failed, []);
  assert.is(project.text("keys/key"), "my own");
  assert.is(project.nothingToDo(), true);
  project.dofile("return [];");
  assert.equal((await project.build()).removed, []);
  assert.is(project.text("keys/key"), "my own");
});

test("a precious output that is a link is never replaced, also where what it leads to is gone, and with --force (A10)", async () => {
  const project = await built(
    `return [rule({ target: "keys/key", precious: true, mode: 0o600, recipe: (_, { existing }) => existing("keys/key")?.text ?? "secret" })];`,
  );
  const vault = join(tempFolder("vault"), "key");
  writeFileSync(vault, "my own");
  rmSync(project.path("keys/key"));
  symlinkSync(vault, project.path("keys/key"));
  for (const isThere of [true, false]) {
    if (!isThere) {
      rmSync(vault);
    }
    for (const force of [false, true]) {
      const { problems } = await project.build([], { force });
      assert.equal(
        problems.map(({ code, location }) => [code, location?.file]),
        [["DP245", "keys/key"]],
      );
      assert.ok(lstatSync(project.path("keys/key")).isSymbolicLink());
    }
  }
});

test("a file that stands where a target's folder must be is a problem that names it", async () => {
  const project = new TestProject(`return [rule({ target: "out/a", recipe: () => "" })];`, { out: "mine" });
  const { problems } = await project.build();
  assert.equal(
    problems.map((one) => [one.code, one.location?.file]),
    [["DP211", "out/a"]],
  );
  assert.is(project.text("out"), "mine");
});

test("a target that is also reached by a link to its folder is refused under the other name, in both orders (A6)", async () => {
  for (const [made, needed] of [
    ["v1/x.txt", "current/x.txt"],
    ["current/x.txt", "v1/x.txt"],
  ]) {
    const project = new TestProject(
      `return [rule({ target: "out/copy", needs: { x: file("${needed}") }, recipe: ({ x }) => x.text }), rule({ target: "${made}", needs: { source: file("source") }, recipe: ({ source }) => source.text })];`,
      { source: "1", "v1/other": "" },
    );
    project.link("v1", "current");
    const { problems, ran } = await project.build();
    assert.equal(ran, []);
    assert.equal(
      problems.map(({ code, location, fix }) => [code, location?.file, fix]),
      [["DP246", "Dofile.ts", 'name it "v1/x.txt" in both places']],
    );
  }
});

test("a recipe or a glob that goes through a link to a target's folder does not take the target for a source (A6)", async () => {
  const project = new TestProject(
    `return [rule({ target: "v1/x.txt", recipe: () => "made" }), rule({ target: "out/names", recipe: (_, { glob }) => glob("current/*").map(({ path }) => path).join() }), rule({ target: "out/read", needs: {}, recipe: (_, { read }) => read("current/x.txt").text })];`,
    { "v1/source": "" },
  );
  project.link("v1", "current");
  const { problems } = await project.build([], { keepGoing: true });
  assert.equal(
    problems.map(({ code, location }) => [code, location?.file]),
    [["DP221", "current/x.txt"]],
  );
  assert.is(project.text("out/names"), "current/source");
  await project.build(["out/names"]);
  assert.is(project.text("out/names"), "current/source");
});

test.run();

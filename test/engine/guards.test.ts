// What must never be lost, overwritten or taken for fresh.
import { execFileSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { TestProject } from "./project.ts";

test("clean never removes a key, also of a rule that has left the project", async () => {
  const key =
    'rule({ target: "keys/a", mode: 0o600, precious: true, recipe: (_, { existing }) => existing("keys/a")?.text ?? "secret" })';
  const project = new TestProject(`return [${key}, rule({ target: "b", recipe: () => "b" })];`);
  await project.build();
  project.dofile('return [rule({ target: "b", recipe: () => "b" })];');
  assert.is(project.run(["clean"]).code, 0);
  assert.is(project.text("keys/a"), "secret");
  project.dofile(`return [${key}, rule({ target: "b", recipe: () => "b" })];`);
  await project.build();
  project.dofile('return [rule({ target: "b", recipe: () => "b" })];');
  project.run(["clean", "b"]);
  await project.build();
  assert.is(project.text("keys/a"), "secret");
});

test("clean removes only what a build made: not what stood there before, and was refused to be replaced", async () => {
  const project = new TestProject(
    'return [rule({ target: "notes.txt", recipe: () => "made" }), rule({ target: "b", recipe: () => "b" })];',
  );
  execFileSync("git", ["init", "-q"], { cwd: project.root });
  project.tamper("notes.txt", "mine");
  assert.equal((await project.build([], { keepGoing: true })).failed, ["notes.txt"]);
  assert.is(project.run(["clean"]).code, 0);
  assert.is(project.text("notes.txt"), "mine");
  assert.not(project.exists("b"));
  assert.is(project.run(["clean"]).code, 0);
  assert.is(project.text("notes.txt"), "mine");
});

test("after the state is lost, clean still removes what git ignores", async () => {
  const project = new TestProject('return [rule({ target: "out/b", recipe: () => "b" })];', {
    ".gitignore": "out/\n.dospesos/\n",
  });
  execFileSync("git", ["init", "-q"], { cwd: project.root });
  await project.build();
  project.remove(".dospesos");
  assert.is(project.run(["clean"]).code, 0);
  assert.not(project.exists("out/b"));
});

test("clean of one target does not forget what a vanished rule left behind", async () => {
  const both =
    'return [rule({ target: "gone", recipe: () => "x" }), rule({ target: "b", recipe: () => "b" })];';
  const project = new TestProject(both);
  await project.build();
  project.dofile('return [rule({ target: "b", recipe: () => "b" })];');
  assert.is(project.run(["clean", "b"]).code, 0);
  assert.not(project.exists("b"));
  assert.not(project.exists("gone"));
});

test("a broken Dofile is reported by every build, not only by the first one", async () => {
  const project = new TestProject('return [rule({ target: "a", recipe: () => "a" })];');
  await project.build();
  const good = project.text("Dofile.ts");
  for (const broken of [`${good}\nthrow new Error("broken");\n`, good.replace("return [", "return [[[")]) {
    project.write("Dofile.ts", broken);
    assert.is(project.run(["build"]).code, 2);
    assert.is(project.run(["build"]).code, 2);
  }
  project.write("Dofile.ts", good);
  assert.is(project.run(["build"]).code, 0);
  assert.match(project.run(["build"]).err, "nothing to do");
});

test("what git tracks is not removed when a rule no longer makes it", async () => {
  const project = new TestProject('return [rule({ target: "conf.json", recipe: () => "{}" })];');
  await project.build();
  const git = (...words: string[]): Buffer =>
    execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@localhost", ...words], {
      cwd: project.root,
      stdio: "pipe",
    });
  git("init", "-q");
  git("add", "conf.json");
  project.dofile('return [rule({ target: "other", recipe: () => "x" })];');
  assert.match(
    (await project.build()).notes.join("\n"),
    "conf.json is no longer made by a rule; it stays, since git tracks it",
  );
  assert.is(project.text("conf.json"), "{}");
});

test("a folder is no prerequisite that could be watched over: it is refused", async () => {
  const project = new TestProject(
    'return [rule({ target: "a", needs: { src: file("src") }, recipe: () => "a" })];',
    { "src/x": "1" },
  );
  const { problems, failed } = await project.build();
  assert.equal(failed, ["a"]);
  assert.equal(
    problems.map(({ code, location: place }) => [code, place?.file]),
    [["DP213", "src"]],
  );
});

test("a name with NUL in it fails its step and leaves the state readable (trap 36)", async () => {
  const project = new TestProject(
    'return [rule({ target: "a", recipe: (_, { env }) => String(env("A\\0B")) }), rule({ target: "b", recipe: () => "b" })];',
  );
  assert.equal((await project.build([], { keepGoing: true })).failed, ["a"]);
  assert.equal((await project.build([], { keepGoing: true })).failed, ["a"]);
  assert.is(project.text("b"), "b");
});

test("two groups of one name are refused; one group in two places is one (A18)", async () => {
  const project = new TestProject(
    `const a = rule({ target: "out/a", recipe: () => "a" }); const b = rule({ target: "out/b", recipe: () => "b" });
     return [group("all", [a]), group("all", [b])];`,
  );
  assert.equal(
    (await project.build()).problems.map(({ code }) => code),
    ["DP249"],
  );
  project.dofile(
    `const a = group("inner", [rule({ target: "out/a", recipe: () => "a" })]);
     return [group("one", [a]), group("two", [a]), a];`,
  );
  assert.equal((await project.build()).problems, []);
});

test("a group cannot hide a target of the same name", async () => {
  const { problems } = await new TestProject(
    'const a = rule({ target: "a", recipe: () => "a" }); return [group("a", [a])];',
  ).build();
  assert.equal(
    problems.map(({ code, location: place }) => [code, place?.file]),
    [["DP238", "Dofile.ts"]],
  );
});

test("existing() gives only a step's own targets, and reading these is refused", async () => {
  const other = new TestProject(
    'return [rule({ target: "a", recipe: (_, { existing }) => existing("src.txt")?.text ?? "" })];',
    { "src.txt": "1" },
  );
  assert.match(
    (await other.build()).problems[0]?.what ?? "",
    "existing() is asked for a file that the step does not make",
  );
  const own = new TestProject(
    'return [rule({ target: "a", recipe: (_, { readIfExists }) => readIfExists("a")?.text ?? "" })];',
  );
  assert.match((await own.build()).problems[0]?.what ?? "", "a reads a file that it makes itself");
});

test("one recipe that waits for ever does not make the others fail", () => {
  const project = new TestProject(`
    const never = rule({ target: "never", recipe: () => new Promise(() => {}) });
    const later = Array.from({ length: 5 }, (_, i) => rule({ target: \`later\${i}\`, recipe: async () => "x" }));
    return [never, ...later];`);
  const { code, err } = project.run(["build", "-k", "-j", "1"]);
  assert.is(code, 1);
  assert.is(err.match(/promise can never settle/g)?.length, 1);
  for (let index = 0; index < 5; index++) {
    assert.is(project.text(`later${index}`), "x");
  }
});

test("a package that is linked into node_modules is followed like the project's own code", async () => {
  const project = new TestProject(
    'return [rule({ target: "a", recipe: () => greeting })];',
    {
      "helpers/package.json": '{ "name": "helpers", "type": "module", "main": "index.js" }',
      "helpers/index.js": 'export const greeting = "one";\n',
    },
    'import { greeting } from "helpers";',
  );
  project.link("../helpers", "node_modules/helpers");
  await project.build();
  assert.is(project.text("a"), "one");
  project.write("helpers/index.js", 'export const greeting = "two";\n');
  await project.build();
  assert.is(project.text("a"), "two");
});

test("what a recipe leaves behind and fails later is reported with its step, and the build ends in order", () => {
  const project = new TestProject(`return [
    rule({ target: "out/promise", recipe: () => { void Promise.reject(new Error("nobody waits")); return "a"; } }),
    rule({ target: "out/timer", recipe: async () => {
      let gone;
      const late = new Promise((resolve) => (gone = resolve));
      setTimeout(() => { gone(); throw new TypeError("too late"); });
      await late;
      return "b";
    } }),
    rule({ target: "out/good", recipe: () => "c" }),
  ];`);
  const { code, err } = project.run(["build", "-k"]);
  assert.is(code, 1, err);
  assert.match(
    err,
    "something that the recipe of out/promise started and did not wait for failed: Error: nobody waits",
  );
  assert.match(
    err,
    "something that the recipe of out/timer started and did not wait for failed: TypeError: too late",
  );
  assert.not.match(err, "Node.js v");
  assert.is(project.text("out/good"), "c");
});

test.run();

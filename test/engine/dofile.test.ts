import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ProblemError, type Problem } from "../../lib/problem/index.ts";
import { tempFolder } from "../support/temp.ts";
import { SETTINGS } from "../support/folder.ts";
import { TestProject } from "./project.ts";

const PACKAGE = {
  "node_modules/esm-only/package.json": `{ "name": "esm-only", "version": "1.0.0", "type": "module", "exports": { ".": { "import": "./main.js" }, "./sub/*": "./lib/*.js" } }`,
  "node_modules/esm-only/main.js": `export const text = "main 1";\n`,
  "node_modules/esm-only/lib/deep.js": `export const deep = "deep";\n`,
};

test("a Dofile imports packages that are ESM only, with their subpath exports; another version of one runs what uses it", async () => {
  const project = new TestProject(
    `return [rule({ target: "out/x", recipe: () => text + deep })];`,
    PACKAGE,
    `import { text } from "esm-only";\nimport { deep } from "esm-only/sub/deep";`,
  );
  assert.equal((await project.build()).problems, []);
  assert.is(project.text("out/x"), "main 1deep");
  await project.settled();
  project.write(
    "node_modules/esm-only/package.json",
    PACKAGE["node_modules/esm-only/package.json"].replace("1.0.0", "1.0.1"),
  );
  assert.is(project.nothingToDo(), false);
  assert.equal(
    (await project.build()).problems.map(({ code }) => code),
    ["DP247"],
    "Node has the old one",
  );
  assert.is(project.run(["build"]).code, 0);
  assert.is(project.run(["why", "out/x"]).code, 0);
});

test("a package that is patched in place, and one that another package uses, run what is made of them (A14)", async () => {
  const project = new TestProject(
    `return [rule({ target: "out/x", recipe: () => text }), rule({ target: "out/y", recipe: () => "y" })];`,
    {
      ...PACKAGE,
      "node_modules/esm-only/main.js": `import { inner } from "inner";\nexport const text = "main " + inner;\n`,
      "node_modules/inner/package.json": `{ "name": "inner", "version": "1.0.0", "main": "index.js" }`,
      "node_modules/inner/index.js": `exports.inner = require("./part").part;\n`,
      "node_modules/inner/part.js": `exports.part = "1";\n`,
    },
    `import { text } from "esm-only";`,
  );
  const build = (wanted: RegExp): void => {
    const { code, err } = project.run(["build"]);
    assert.is(code, 0, err);
    assert.match(err, wanted);
  };
  build(/1 made|2 made/);
  build(/nothing to do/);
  project.write("node_modules/inner/part.js", `exports.part = "2";\n`);
  build(/made +out\/x/);
  assert.is(project.text("out/x"), "main 2");
  project.write(
    "node_modules/inner/package.json",
    `{ "name": "inner", "version": "1.0.1", "main": "index.js" }`,
  );
  build(/made +out\/x/);
});

test("a package, a module or an export that is missing is a problem with the line that asks for it", async () => {
  for (const [line, what] of [
    [`import { x } from "not-installed";`, "not-installed"],
    [`import { x } from "./not-there.ts";`, "not-there"],
    [`import { nothing } from "./there.ts";`, "nothing"],
    [`import { rules } from "dospesos/rules";`, "dospesos/rules"],
  ] as const) {
    const project = new TestProject(
      "return [];",
      { "there.ts": "export const x = 1;\n" },
      `${line}\nconsole.assert(${/\{ (\w+)/.exec(line)![1]} !== 0);`,
    );
    const { problems } = await project.build();
    assert.equal(
      problems.map((one) => [one.location?.file, one.location?.line]),
      [["Dofile.ts", 2]],
      line,
    );
    assert.match(problems[0]!.what, what);
    assert.is(project.nothingToDo(), false);
    project.dofile("return [];");
    assert.equal((await project.build()).problems, []);
  }
});

test("an export that the public API does not have is a problem with a place", async () => {
  const project = new TestProject(
    "return [];",
    {},
    `import { ruel } from "dospesos";\nconsole.assert(ruel !== 0);`,
  );
  const { problems } = await project.build();
  assert.is(problems.length, 1);
  assert.is(problems[0]!.location?.file, "Dofile.ts");
  assert.match(problems[0]!.what, "ruel");
});

test("a syntax error is reported with file, line and column, in the Dofile and in a module", async () => {
  const project = new TestProject("return [;", {});
  assert.equal(
    (await project.build()).problems.map((one) => one.location),
    [{ file: "Dofile.ts", line: 4, column: 9 }],
  );
  project.dofile("return [];", `import "./rules/broken.ts";`);
  project.write("rules/broken.ts", "\nexport const x = = 1;\n");
  assert.equal(
    (await project.build()).problems.map((one) => one.location),
    [{ file: "rules/broken.ts", line: 2, column: 18 }],
  );
});

test("an error that a Dofile or a module throws is reported with file, line and column, also where a module asks for import.meta.url", async () => {
  const project = new TestProject(
    `  const none = undefined as unknown as { x: number };\n  return [none.x as never];`,
  );
  assert.equal(
    (await project.build()).problems.map((one) => one.location),
    [{ file: "Dofile.ts", line: 5, column: 16 }],
  );
  for (const status of [true, false]) {
    project.write(
      "rules/thrower.ts",
      `const here: string = import.meta.url;\n\nexport function thrower(): never {\n  throw new Error("from " + here.slice(-10));\n}\n`,
    );
    project.dofile("return [thrower()];", `import { thrower } from "./rules/thrower.ts";`);
    const problems = status
      ? await project.explain().then(() => [], problemsIn)
      : (await project.build()).problems;
    assert.equal(
      problems.map((one) => [one.location, one.what]),
      [[{ file: "rules/thrower.ts", line: 4, column: 9 }, "the Dofile failed: Error: from thrower.ts"]],
    );
  }
});

test("a project in a folder with parentheses and stars builds, and its errors have their places; with a backslash it is refused (A18)", async () => {
  const root = join(tempFolder("odd"), "a (b) [c] *{d} #%20?");
  mkdirSync(join(root, "src"), { recursive: true });
  writeFileSync(join(root, "settings.ini"), SETTINGS);
  writeFileSync(join(root, "src/x.txt"), "x");
  const dofile = `import { glob, project, rule } from "dospesos";
export default project(({ glob: find }) => [
  rule({ target: "out/list", needs: { sources: glob("src/*.txt") }, recipe: ({ sources }) => sources.map(({ path }) => path).join() + find("src/*").join() }),
  rule({ target: "out/bad", recipe: () => { throw new Error("bad"); } }),
]);
`;
  writeFileSync(join(root, "Dofile.ts"), dofile);
  const project = new TestProject("return [];");
  const { code, err } = project.run(["build", "-k"], {}, root);
  assert.is(code, 1, err);
  assert.match(err, /Dofile\.ts:4:\d+: error/);
  assert.is(readFileSync(join(root, "out/list"), "utf8"), "src/x.txtsrc/x.txt");
  writeFileSync(
    join(root, "Dofile.ts"),
    dofile.replace("export default", "throw new Error('early');\nexport default"),
  );
  assert.match(project.run(["build"], {}, root).err, /Dofile\.ts:2:\d+: error DP243/);
  renameSync(root, `${root}\\`);
  assert.match(project.run(["build"], {}, `${root}\\`).err, /error DP250: the name of this folder/);
});

test("no HOME, no TMPDIR, a folder that is gone: a build does not mind, or says which; nothing is left behind (A18)", () => {
  const project = new TestProject(`return [rule({ target: "out/x", recipe: () => "x" })];`);
  const tmp = tempFolder("tmp");
  const gone = join(tmp, "gone");
  assert.is(project.run(["build"], { HOME: undefined, TMPDIR: gone }).code, 0);
  project.write("Dofile.ts", "export default (;\n");
  assert.is(project.run(["status"], { TMPDIR: tmp }).code, 2);
  assert.equal(readdirSync(tmp), [], "no folder of a bundle is left");
  project.dofile(`return [rule({ target: "out/x", recipe: () => "y" })];`);
  const looked = project.run(["status"], { TMPDIR: gone });
  assert.is(looked.code, 1, looked.err);
  assert.match(looked.err, /DP002|DP250/);
  assert.not.match(looked.err, /\n {4}at /);
});

test("something that is no Error is reported, too, whether a Dofile or a recipe throws it", async () => {
  assert.match((await new TestProject(`throw "only text";`).build()).problems[0]!.what, "only text");
  assert.match((await new TestProject(`throw undefined;`).build()).problems[0]!.what, "undefined");
  const { problems, failed } = await new TestProject(
    `return [rule({ target: "x", recipe: () => { throw null; } })];`,
  ).build();
  assert.equal([failed, problems.map((one) => one.what)], [["x"], ["the recipe of x failed: null"]]);
});

test("import.meta.url, filename and dirname in rules mean the source", async () => {
  const project = new TestProject(
    `return [here()];`,
    {
      "rules/here.ts": `import { basename } from "node:path";\nimport { rule } from "dospesos";\nexport const here = () => rule({ target: "out/x", recipe: () => [import.meta.url, import.meta.filename, import.meta.dirname].map((one) => basename(one!)).join() });\n`,
    },
    `import { here } from "./rules/here.ts";`,
  );
  await project.build();
  assert.is(project.text("out/x"), "here.ts,here.ts,rules");
  await project.settled();
});

test("a Dofile imports JSON, and an edit of it runs what may be made of it", async () => {
  const project = new TestProject(
    `return [rule({ target: "out/x", recipe: () => data.name })];`,
    { "data.json": `{ "name": "one" }` },
    `import data from "./data.json" with { type: "json" };`,
  );
  await project.build();
  project.write("data.json", `{ "name": "two" }`);
  await project.build();
  assert.is(project.text("out/x"), "two");
  await project.settled();
});

test("a default export that is no project, and a missing Dofile, are problems that say what to write", async () => {
  const project = new TestProject("return [];");
  project.write("Dofile.ts", "export default 1;\n");
  assert.equal(
    (await project.build()).problems.map((one) => [one.code, one.location?.file]),
    [["DP242", "Dofile.ts"]],
  );
  project.remove("Dofile.ts");
  assert.equal(
    (await project.build()).problems.map((one) => one.code),
    ["DP241"],
  );
});

test("rule() outside of a Dofile's function call, in a recipe, is a problem", async () => {
  const { problems } = await new TestProject(
    `return [rule({ target: "x", recipe: () => { rule({ target: "y", recipe: () => "" }); return ""; } })];`,
  ).build();
  assert.equal(
    problems.map((one) => one.code),
    ["DP220"],
  );
});

test("a Dofile that is broken removes and changes nothing, and the next good one goes on", async () => {
  const project = new TestProject(`return [rule({ target: "out/x", recipe: () => "x" })];`);
  await project.build();
  const good = project.text("Dofile.ts");
  for (const bad of ["export default", "import './no';", "throw new Error('x');", "export default 1;"]) {
    project.write("Dofile.ts", bad);
    assert.is((await project.build()).problems.length, 1, bad);
    assert.is(project.text("out/x"), "x");
  }
  project.write("Dofile.ts", good);
  assert.equal((await project.build()).ran, []);
  await project.settled();
});

test("a Dofile in a folder without any package imports dospesos, also by -C from elsewhere", () => {
  const folder = tempFolder("alone");
  writeFileSync(join(folder, "settings.ini"), SETTINGS);
  writeFileSync(
    join(folder, "Dofile.ts"),
    `import { project, rule, json } from "dospesos";\nexport default project(() => [rule({ target: "x", recipe: () => json({ a: 1 }) })]);\n`,
  );
  const project = new TestProject("return [];");
  const run = project.run(["build", "-C", folder, "--json"], {}, tempFolder("elsewhere"));
  assert.is(run.code, 0, run.err);
  assert.match(run.out, `"target":"x"`);
  assert.is(project.run(["status", "-C", folder]).code, 0);
});

function problemsIn(error: unknown): readonly Problem[] {
  return error instanceof ProblemError ? error.problems : [];
}

test.run();

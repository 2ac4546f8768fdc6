// The code of a step is a prerequisite: its rule, what that imports, the program.
import { test } from "uvu";
import * as assert from "uvu/assert";
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
    ["rules/a.ts", ["out/a"]],
    ["rules/b.ts", ["out/b"]],
    ["rules/c.ts", ["out/c"]],
    ["rules/wrap.ts", ["out/c"]],
    ["rules/only-a.ts", ["out/a"]],
    ["rules/shared.ts", ["out/a", "out/b"]],
  ] as const) {
    project.write(
      module,
      project
        .text(module)
        .replace(/1|"</, (found) => (found === "1" ? "2" : `"[`))
        .concat("// edited\n"),
    );
    assert.is(project.nothingToDo(), false);
    const outcome = await project.build();
    assert.equal(outcome.ran, ran, module);
    assert.equal(outcome.reasons[ran[0]], [{ kind: "recipe" }]);
    await project.settled();
  }
});

test("a function or a value that the Dofile hands to a rule of another module is its code, too (trap 26)", async () => {
  const project = new TestProject(
    `const text = "one"; return [wrap("out/x", () => "x1"), wrap("out/y", () => text)];`,
    MODULES,
    `import { wrap } from "./rules/wrap.ts";`,
  );
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
  const project = new TestProject(
    `return [a(), wrap("out/x", () => greeting)];`,
    { ...MODULES, "greeting.ts": `export const greeting = "hello";\n` },
    `import { a } from "./rules/a.ts";\nimport { wrap } from "./rules/wrap.ts";\nimport { greeting } from "./greeting.ts";`,
  );
  await project.build();
  project.write("greeting.ts", `export const greeting = "good day";\n`);
  await project.build();
  assert.is(project.text("out/x"), "<good day>");
  await project.settled();
});

test("a comment in the Dofile runs nothing (trap 26)", async () => {
  const project = new TestProject(
    "return [a(), b()];",
    MODULES,
    `import { a } from "./rules/a.ts";\nimport { b } from "./rules/b.ts";`,
  );
  await project.build();
  project.write("Dofile.ts", `// a word\n${project.text("Dofile.ts")}\n/* and another */\n`);
  assert.equal((await project.build()).ran, []);
  await project.settled();
});

test("a module that only passes on the rules of others does not tie them together (trap 26)", async () => {
  const project = new TestProject(
    "return [a(), b()];",
    { ...MODULES, "rules/index.ts": `export { a } from "./a.ts";\nexport { b } from "./b.ts";\n` },
    `import { a, b } from "./rules/index.ts";`,
  );
  await project.build();
  project.write("rules/a.ts", project.text("rules/a.ts").replace("shared + onlyA", "onlyA + shared"));
  assert.equal((await project.build()).ran, ["out/a"]);
  await project.settled();
});

test("a key that decides whether a module declares anything runs its steps, and no others (A12)", async () => {
  const project = new TestProject(
    `const more = settings.cores.get("a").group === "two" ? [c()] : []; return [a(), b(), ...more];`,
    {
      ...MODULES,
      "rules/c.ts": `${RULE}\nexport const c = () => rule({ target: "out/c", recipe: () => "c" });\n`,
    },
    IMPORTS,
  );
  await project.build();
  await project.settled();
  project.setting("group = one", "group = two");
  const outcome = await project.build();
  assert.ok(outcome.ran.includes("out/c"), JSON.stringify(outcome.ran));
  for (const reasons of Object.values(outcome.reasons)) {
    assert.not(
      reasons.some(({ kind }) => kind === "recipe"),
      JSON.stringify(reasons),
    );
  }
});

test("another list of prerequisites is told by its cause, and not as another rule (A12)", async () => {
  const project = new TestProject(
    `const parts = { one: rule({ target: "out/one", recipe: () => "1" }), two: rule({ target: "out/two", recipe: () => "2" }) };
     const part = parts[settings.cores.get("a").group];
     return [part, rule({ target: "out/sum", needs: { part }, recipe: ({ part }) => part.text })];`,
  );
  await project.build();
  await project.settled();
  project.setting("group = one", "group = two");
  const { reasons } = await project.build();
  const kinds = reasons["out/sum"]?.map(({ kind }) => kind) ?? [];
  assert.ok(kinds.includes("setting") && !kinds.includes("recipe") && !kinds.includes("needs"), kinds.join());
  assert.is(project.text("out/sum"), "2");
});

test("an upgrade of the program runs every step once (traps 26, 27)", async () => {
  const project = new TestProject("return [a()];", MODULES, `import { a } from "./rules/a.ts";`);
  await project.build();
  project.program = "program 2";
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).ran, ["out/a"]);
  await project.settled();
});

test.run();

// Rules that change while what they make stays, at sizes and in orders in which other engines went wrong.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { TestProject } from "./project.ts";

const A = `rule({ targets: { x: "out/x", y: "out/y" }, recipe: () => ({ x: "ax", y: "ay" }) })`;
const B = `rule({ target: "out/x", recipe: () => "bx" }), rule({ target: "out/y", recipe: () => "by" })`;
const OTHER = `rule({ target: "out/other", needs: { source: file("source") }, recipe: ({ source }) => source.text })`;

test("an output that goes to another rule and back, while only something else is built, is what its owner made (trap 25)", async () => {
  const project = new TestProject(`return [${A}, ${OTHER}];`, { source: "1" });
  await project.build();
  for (const between of [["out/other"], ["out/x"], ["out/y"]]) {
    project.dofile(`return [${B}, ${OTHER}];`);
    project.write("source", between[0]!);
    await project.build(between);
    project.dofile(`return [${A}, ${OTHER}];`);
    await project.build();
    assert.equal([project.text("out/x"), project.text("out/y")], ["ax", "ay"], between[0]);
    await project.settled();
  }
});

test("an output whose old owner made it and whose new owner fails is made again by the old one (trap 25)", async () => {
  const project = new TestProject(`return [${A}];`);
  await project.build();
  project.dofile(
    `return [rule({ target: "out/x", recipe: () => "half" }), rule({ target: "out/y", recipe: () => { throw new Error("no"); } })];`,
  );
  assert.equal((await project.build([], { keepGoing: true })).failed, ["out/y"]);
  project.dofile(`return [${A}];`);
  assert.equal((await project.build()).ran, ["out/x"]);
  assert.equal([project.text("out/x"), project.text("out/y")], ["ax", "ay"]);
  await project.settled();
});

test("with 2,000 devices a key that nobody reads runs nothing, and a device's key runs that device's step (trap 28)", async () => {
  const project = new TestProject(
    `return settings.cores.map((core) => fact({ name: "core " + core.name, recipe: () => core.group + settings.aws.region }));`,
  );
  const cores = Array.from({ length: 2000 }, (_, n) => `[core device-${n}]\ngroup = g${n % 7}\n`).join("");
  project.write("settings.ini", project.text("settings.ini") + cores);
  assert.is((await project.build()).ran.length, 2002);
  project.setting("name = demo", "name = another");
  const unread = await project.build();
  assert.equal([unread.ran, unread.problems], [[], []]);
  project.setting("[core device-1234]\ngroup = g2", "[core device-1234]\ngroup = changed");
  const outcome = await project.build();
  assert.equal(outcome.problems, []);
  assert.equal(
    [outcome.ran, outcome.reasons["core device-1234"]],
    [["core device-1234"], [{ kind: "setting", key: "core device-1234.group", from: "g2", to: "changed" }]],
  );
  assert.is(project.nothingToDo(), true);
});

test("what a rule is called in the Dofile does not matter: renamed, it makes the same file, and what needs it does not run (trap 23)", async () => {
  const body = `const upper = rule({ target: "out/upper", needs: { source: file("source") }, recipe: ({ source }) => source.text.toUpperCase() }); return [upper, twice(upper)];`;
  const modules = {
    source: "abc",
    "twice.ts": `import { rule, type Step, type FileValue } from "dospesos";\nexport const twice = (upper: Step<FileValue>) => rule({ target: "out/twice", needs: { upper }, recipe: ({ upper }) => upper.text + upper.text });\n`,
  };
  const project = new TestProject(body, modules, `import { twice } from "./twice.ts";`);
  await project.build();
  const before = project.mtime("out/upper");
  project.dofile(
    body
      .replaceAll("const upper", "const renamed")
      .replace("[upper, twice(upper)]", "[renamed, twice(renamed)]"),
    `import { twice } from "./twice.ts";`,
  );
  const outcome = await project.build();
  assert.equal([outcome.removed, outcome.problems], [[], []]);
  assert.is(project.mtime("out/upper"), before);
  await project.settled();
});

test.run();

import { existsSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { PlannedEffect } from "../../lib/engine/index.ts";
import { TestProject } from "./project.ts";

/** An effect whose plan asks if `changes` holds a line, and whose world is the folder `world`. */
const HEAD = `import { appendFileSync } from "node:fs";`;
const BODY = `
  const apply = (name: string) => effect({
    name, target: "applied/" + name + ".json", needs: { source: file("source") },
    plan: async (_, { root, readIfExists }) => ({ changes: (readIfExists("changes")?.text ?? "").split("\\n").filter((line) => line !== "") }),
    apply: async ({ source }, { root }) => {
      if (source.text === "person") throw new ProblemError([{ code: "X900", what: "log in first" }], 4);
      if (source.text === "bad") throw new Error("no");
      appendFileSync(root + "/world", name + " " + source.text + "\\n");
      return { id: source.text.length };
    },
  });
  const one = apply("one");
  const above = rule({ target: "out/above", needs: { one }, recipe: ({ one }) => "id " + one.id });
  return [above, apply("two"), rule({ target: "out/other", needs: { source: file("source") }, recipe: ({ source }) => source.text })];
`;

function project(changes: string): TestProject {
  return new TestProject(
    BODY,
    { source: "first", changes },
    `${HEAD}\nimport { ProblemError } from "dospesos";`,
  );
}

/** The world is what the effects changed: it is no file of the project. */
function world(of: TestProject): string[] {
  return existsSync(of.path("world")) ? of.text("world").trim().split("\n").sort() : [];
}

test("all effects that are ready are shown in one plan and asked for once; yes applies them and goes on", async () => {
  const asked: (readonly PlannedEffect[])[] = [];
  const it = project("make a thing\n");
  const outcome = await it.build([], { consent: async (effects) => (asked.push(effects), true) });
  assert.is(asked.length, 1);
  assert.equal(asked[0]!.map((one) => one.name).sort(), ["one", "two"]);
  assert.equal(outcome.plans, asked);
  assert.equal(outcome.ran, ["applied/one.json", "applied/two.json", "out/above", "out/other"]);
  assert.equal(world(it), ["one first", "two first"]);
  assert.is(it.nothingToDo(), true);
});

test("no applies nothing, makes all that needs none of them, and counts who waits for a person", async () => {
  const it = project("make a thing\n");
  const outcome = await it.build([], { consent: async () => false });
  assert.equal(
    [outcome.ran, outcome.skipped, world(it)],
    [["out/other"], ["applied/one.json", "applied/two.json", "out/above"], []],
  );
  assert.is(outcome.summary?.needsPerson, 2);
  assert.is(it.nothingToDo(), false);
  assert.equal((await it.build([], { consent: async () => true })).ran, [
    "applied/one.json",
    "applied/two.json",
    "out/above",
  ]);
});

test("an effect without changes to make asks nobody", async () => {
  const it = project("");
  assert.equal((await it.build()).ran, ["applied/one.json", "applied/two.json", "out/above", "out/other"]);
  assert.equal(world(it), ["one first", "two first"]);
  assert.is(it.nothingToDo(), true);
});

test("what the plan read is a prerequisite, and effects that are agreed to keep to -j", async () => {
  const it = new TestProject(
    `
    let running = 0;
    const effects = Array.from({ length: 6 }, (_, index) => effect({
      name: "e" + index, target: "applied/" + index, plan: async (_, { read }) => ({ changes: [read("changes").text] }),
      apply: async () => { running++; await new Promise(setImmediate); return running--; },
    }));
    return [rule({ target: "most", needs: { effects }, recipe: ({ effects }) => String(Math.max(...effects)) })];
  `,
    { changes: "one" },
  );
  await it.build([], { jobs: 2, consent: async () => true });
  assert.is(it.text("most"), "2");
  assert.is(it.nothingToDo(), true);
  it.write("changes", "two");
  assert.equal((await it.build([], { consent: async () => false })).skipped.length, 7);
});

test("an effect that comes out the same stops there: what needs it does not run", async () => {
  const it = project("");
  await it.build();
  it.write("source", "fifth");
  const outcome = await it.build();
  assert.equal(
    [outcome.ran, outcome.fresh],
    [["applied/one.json", "applied/two.json", "out/other"], ["out/above"]],
  );
});

test("the marker says what was applied, with which prerequisites, and what came back", async () => {
  const it = project("");
  await it.build();
  const marker = JSON.parse(it.text("applied/one.json")) as {
    effect: string;
    prerequisites: Record<string, string>;
    outputs: unknown;
  };
  assert.equal([marker.effect, marker.outputs], ["one", { id: 5 }]);
  assert.equal(Object.keys(marker.prerequisites), ["changes", "source"]);
});

test("a marker that is deleted or edited makes its effect stale", async () => {
  const it = project("");
  await it.build();
  it.tamper("applied/one.json", "{}");
  assert.is(it.nothingToDo(), false);
  assert.equal((await it.build()).ran, ["applied/one.json"]);
  assert.is(it.nothingToDo(), true);
});

test("held: effects never run; what needs them goes on with what they gave last, and waits if they never ran", async () => {
  const it = project("");
  const first = await it.build([], { effects: "hold" });
  assert.equal(
    [first.ran, first.skipped],
    [["out/other"], ["applied/one.json", "applied/two.json", "out/above"]],
  );
  await it.build();
  it.write("source", "second one");
  it.write("Dofile.ts", it.text("Dofile.ts").replace(`"id "`, `"the id "`));
  const held = await it.build([], { effects: "hold" });
  assert.equal(
    [held.ran, held.skipped],
    [
      ["out/above", "out/other"],
      ["applied/one.json", "applied/two.json"],
    ],
  );
  assert.is(it.text("out/above"), "the id 5");
  assert.equal(world(it), ["one first", "two first"]);
  assert.is(held.summary?.needsPerson, 2);
});

test("an effect that needs a person does not stop other work, and counts", async () => {
  const it = project("");
  it.write("source", "person");
  const outcome = await it.build([], { jobs: 1 });
  assert.equal(
    [outcome.ran, outcome.failed, outcome.skipped],
    [["out/other"], ["applied/one.json", "applied/two.json"], ["out/above"]],
  );
  assert.equal(
    [outcome.summary?.needsPerson, outcome.problems.map((one) => one.what)],
    [2, ["log in first", "log in first"]],
  );
});

test("an effect that fails runs again next time", async () => {
  const it = project("");
  it.write("source", "bad");
  assert.equal((await it.build([], { keepGoing: true })).failed, ["applied/one.json", "applied/two.json"]);
  assert.is(it.nothingToDo(), false);
  it.write("source", "good");
  assert.equal((await it.build()).ran, ["applied/one.json", "applied/two.json", "out/above", "out/other"]);
});

test("the marker of an effect that left the project stays through every later change of the graph, is reported once, and counts when it is back", async () => {
  const it = project("");
  await it.build();
  const marker = it.text("applied/two.json");
  const dofile = it.text("Dofile.ts");
  it.write("Dofile.ts", dofile.replace(`apply("two"), `, ""));
  const gone = await it.build();
  assert.match(gone.notes.join(), /two is no longer in the project.*applied\/two\.json stays/);
  for (const target of ["out/x", "out/y"]) {
    it.write(
      "Dofile.ts",
      dofile.replace(`apply("two"), `, `rule({ target: "${target}", recipe: () => "" }), `),
    );
    assert.equal((await it.build()).notes, []);
    assert.is(it.text("applied/two.json"), marker);
  }
  it.write("Dofile.ts", dofile);
  assert.ok((await it.build()).fresh.includes("applied/two.json"), "it is not applied again");
  assert.is(it.text("applied/two.json"), marker);
});

test("the marker of an effect that left the project may be deleted: the rest stays fresh", async () => {
  const it = project("");
  await it.build();
  it.write("Dofile.ts", it.text("Dofile.ts").replace(`apply("two"), `, ""));
  await it.build();
  it.remove("applied/two.json");
  assert.is(it.nothingToDo(), true);
});

test("a real process without a terminal shows the plan, applies nothing, and exits 4; with --yes it applies", () => {
  const it = project("make a thing\n");
  const without = it.run(["build"]);
  assert.is(without.code, 4, without.err);
  assert.match(without.err, "make a thing");
  assert.match(without.err, "pending  one  new");
  assert.equal(world(it), []);
  const yes = it.run(["build", "--yes"]);
  assert.is(yes.code, 0, yes.err);
  assert.equal(world(it), ["one first", "two first"]);
});

test("an effect that a failure kept from being reached is not said to wait for a person", () => {
  const it = new TestProject(
    `const bad = rule({ target: "out/bad", recipe: () => { throw new Error("no"); } }); return [bad, effect({ name: "later", target: "applied/later.json", apply: async () => 1 })];`,
  );
  const { code, err } = it.run(["build", "-j", "1"]);
  assert.is(code, 1, err);
  assert.match(err, "failed   out/bad");
  assert.not.match(err, "later");
});

test.run();

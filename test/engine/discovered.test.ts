// Dependencies that only show while a recipe runs, and the order in which steps run.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { randomNumbers } from "../support/random.ts";
import { filesBelow, TestProject } from "./project.ts";

const OTHER = `rule({ target: "out/other", recipe: () => "other" })`;

for (const jobs of [1, 64]) {
  test(`a cycle through a file that a recipe reads without having declared it is reported, not waited for, and what is not in it is made, at -j ${jobs} (trap 40)`, async () => {
    const project = new TestProject(`
      const a = rule({ target: "out/a", recipe: (_, { read }) => read("out/b").text });
      return [rule({ target: "out/b", needs: { a }, recipe: ({ a }) => a.text }), ${OTHER}];
    `);
    for (const _ of [1, 2]) {
      const { failed, skipped, problems } = await project.build([], { jobs, keepGoing: true });
      assert.equal(
        [failed, skipped, problems.map((one) => [one.code, one.location?.file])],
        [["out/a"], ["out/b"], [["DP221", "out/b"]]],
      );
      assert.is(project.text("out/other"), "other");
    }
  });

  test(`a dependency of an old run that would be a cycle now is reported in the same way, at -j ${jobs} (trap 40)`, async () => {
    const reader = `const a = rule({ target: "out/a", recipe: (_, { read }) => read("in/x").text });`;
    const project = new TestProject(`${reader} return [a, ${OTHER}];`, { "in/x": "source" });
    await project.build([], { jobs });
    assert.is(project.text("out/a"), "source");
    // What was a source is made now, out of what was made of it.
    project.remove("in/x");
    project.dofile(
      `${reader} return [rule({ target: "in/x", needs: { a }, recipe: ({ a }) => a.text }), ${OTHER}, rule({ target: "out/new", recipe: () => "new" })];`,
    );
    const { failed, skipped, problems } = await project.build([], { jobs, keepGoing: true });
    assert.equal(
      [failed, skipped, problems.map((one) => [one.code, one.location?.file])],
      [["out/a"], ["in/x"], [["DP221", "in/x"]]],
    );
    assert.is(project.text("out/new"), "new");
  });
}

test("an undeclared read of what another rule makes is a problem, at any -j (trap 44)", async () => {
  for (const jobs of [1, 64]) {
    const project = new TestProject(`return [
      rule({ target: "out/reads", recipe: (_, { read }) => read("out/made").text }), rule({ target: "out/made", recipe: () => "made" }),
    ];`);
    for (const round of [1, 2]) {
      const { problems } = await project.build([], { jobs, keepGoing: true });
      assert.equal(
        problems.map((one) => [one.code, one.location?.file]),
        [["DP221", "out/made"]],
        `round ${round}`,
      );
    }
  }
});

test("in whatever order rules are declared, and at any -j, the same is made (trap 44)", async () => {
  const random = randomNumbers("declaration order");
  const texts = new Set<string>();
  for (const jobs of [1, 2, 64]) {
    const order = Array.from({ length: 30 }, () => random());
    const project = new TestProject(
      `
      const order = ${JSON.stringify(order)};
      const base = fact({ name: "base", needs: { source: file("source") }, recipe: async ({ source }) => { await new Promise(setImmediate); return source.text.length; } });
      const parts = order.map((_, n) => rule({ target: "part/" + n, needs: { base }, recipe: async ({ base }, { readIfExists, glob }) => { if (n % 3 === 0) await new Promise(setImmediate); return n + ":" + base + (readIfExists("none") ?? "") + glob("part/*").length; } }));
      const sums = [0, 1, 2].map((r) => rule({ target: "sum/" + r, needs: { parts: parts.filter((_, n) => n % 3 === r) }, recipe: ({ parts }) => parts.map((one) => one.text).join() }));
      const all = rule({ target: "all", needs: { sums }, recipe: ({ sums }) => sums.map((one) => one.text).join(";") });
      return [...parts, ...sums, all].map((step, n) => ({ step, key: order[n % order.length] * (n + 1) % 1 })).sort((a, b) => a.key - b.key).map(({ step }) => step);
    `,
      { source: "abc" },
    );
    assert.equal((await project.build([], { jobs })).problems, []);
    await project.settled();
    const { "Dofile.ts": _, ...files } = filesBelow(project.root);
    texts.add(JSON.stringify(files));
    project.write("source", "abcd");
    await project.build([], { jobs });
    assert.ok(project.text("all").includes("29:4"));
  }
  assert.is(texts.size, 1);
});

test("a template that is included and not there is noticed when it comes, whether its absence was a fault or allowed (trap 31)", async () => {
  const project = new TestProject(
    `return ["must", "may"].map((name) => rule({ target: "out/" + name + ".txt", recipe: (_, { render }) => render("t/" + name + ".txt.njk", {}) }));`,
    {
      "t/must.txt.njk": `must {% include "./late.txt.njk" %}`,
      "t/may.txt.njk": `may {% include "./late.txt.njk" ignore missing %}`,
    },
  );
  const first = await project.build([], { keepGoing: true });
  assert.equal([first.ran, first.failed], [["out/may.txt"], ["out/must.txt"]]);
  assert.is(project.text("out/may.txt"), "may ");
  project.write("t/late.txt.njk", "late");
  const second = await project.build();
  assert.equal(
    [second.ran, second.reasons["out/may.txt"]],
    [["out/may.txt", "out/must.txt"], [{ kind: "file", path: "t/late.txt.njk", change: "appeared" }]],
  );
  assert.equal([project.text("out/may.txt"), project.text("out/must.txt")], ["may late", "must late"]);
  await project.settled();
});

test("env() and glob() of the Dofile's function that a recipe closed over are prerequisites of that recipe (A2)", async () => {
  const project = new TestProject(
    `return [rule({ target: "out/env", recipe: () => env("A2_WORD") ?? "none" }), rule({ target: "out/names", recipe: () => find("sources/*").join() }), rule({ target: "out/other", recipe: () => "" })];`,
    { "sources/one": "1" },
  );
  delete process.env["A2_WORD"];
  await project.build();
  process.env["A2_WORD"] = "word";
  try {
    assert.is(project.nothingToDo(), false);
    assert.equal((await project.build()).ran, ["out/env"]);
    assert.is(project.text("out/env"), "word");
    project.write("sources/two", "2");
    assert.equal((await project.build()).ran, ["out/names"]);
    assert.is(project.text("out/names"), "sources/one,sources/two");
  } finally {
    delete process.env["A2_WORD"];
  }
});

test.run();

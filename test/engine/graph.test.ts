import { test } from "uvu";
import * as assert from "uvu/assert";
import { TestProject } from "./project.ts";

test("a cycle is reported in its order, whether of one, two or three rules, or through a group (trap 40)", async () => {
  for (const [body, loop] of [
    [`return [rule({ target: "a", needs: { a: file("a") }, recipe: () => "" })];`, "a → a"],
    [
      `const a = rule({ target: "a", needs: { b: file("b") }, recipe: () => "" }); return [rule({ target: "b", needs: { a }, recipe: () => "" })];`,
      "b → a → b",
    ],
    [
      `const one = rule({ target: "one", needs: { x: file("three") }, recipe: () => "" });
      const two = rule({ target: "two", needs: { one }, recipe: () => "" });
      const three = rule({ target: "three", needs: { two }, recipe: () => "" });
      return [group("all", [three, rule({ target: "above", needs: { three }, recipe: () => "" })])];`,
      "three → two → one → three",
    ],
    [
      `const f = fact({ name: "f", needs: { x: file("x") }, recipe: () => 1 }); return [rule({ target: "x", needs: { f }, recipe: () => "" })];`,
      "x → f → x",
    ],
  ] as const) {
    const { problems, ran } = await new TestProject(body).build();
    assert.equal([problems.map((one) => one.code), ran], [["DP234"], []]);
    const told = problems[0]!.what.replace("these targets need each other: ", "").split(" → ");
    const expected = loop.split(" → ").slice(1);
    const turned = expected.map((_, index) => [...expected.slice(index), ...expected.slice(0, index)].join());
    assert.ok(turned.includes(told.slice(1).join()), `${told.join(" → ")} is a turn of ${loop}`);
    assert.is(told[0], told.at(-1));
  }
});

test("a group that contains itself is a problem that names the way around (trap 40)", async () => {
  const { problems } = await new TestProject(
    `const inner: unknown[] = []; const g = group("outer", [group("inner", inner as never)]); inner.push(g); return [g];`,
  ).build();
  assert.ok(problems.length > 0);
  assert.match(problems[0]!.what, "outer → inner → outer");
});

test("a chain of 30,000 steps, deeper than any recursion goes, is built, explained, listed, found fresh, rebuilt from its first link and cleaned (trap 41)", async () => {
  const project = new TestProject(
    `
    let last = fact({ name: "f0", needs: { source: file("source") }, recipe: ({ source }) => source.text });
    for (let index = 1; index < 30_000; index++) last = fact({ name: "f" + index, needs: { last }, recipe: ({ last }) => last });
    return [rule({ target: "out/end", needs: { last }, recipe: ({ last }) => last })];
  `,
    { source: "1" },
  );
  assert.is((await project.buildAtOnce([], { jobs: 1 })).ran.length, 30_001);
  assert.is(project.nothingToDo(), true);
  project.write("source", "2");
  const explained = await project.explain();
  assert.equal([explained[0]!.freshness, explained.at(-1)!.freshness], ["stale", "unknown"]);
  assert.is((await project.build()).ran.length, 30_001);
  assert.is(project.text("out/end"), "2");
  assert.is(project.nothingToDo(), true);
  assert.match(project.run(["list"]).out, "out/end");
  assert.is(project.run(["clean"]).code, 0);
  assert.not(project.exists("out/end"));
});

test("a cycle of 20,000 rules is found at once, and its message stays readable (trap 41)", async () => {
  const project = new TestProject(`
    let last: never = file("t19999") as never;
    for (let index = 0; index < 20_000; index++) last = rule({ target: "t" + index, needs: { last }, recipe: () => "" }) as never;
    return [last];
  `);
  const { problems } = await project.build();
  assert.is(problems[0]!.code, "DP234");
  assert.ok(problems[0]!.what.length < 500);
});

test("a diamond: bottom and top run once each (trap 42)", async () => {
  const project = new TestProject(
    `
    const bottom = rule({ target: "bottom", needs: { source: file("source") }, recipe: ({ source }) => source.text });
    const [left, right] = ["left", "right"].map((target) => rule({ target, needs: { bottom }, recipe: ({ bottom }) => bottom.text }));
    return [rule({ target: "top", needs: { left: left!, right: right! }, recipe: ({ left, right }) => left.text + right.text })];
  `,
    { source: "1" },
  );
  assert.equal((await project.build()).ran, ["bottom", "left", "right", "top"]);
  project.write("source", "2");
  assert.equal((await project.build()).ran, ["bottom", "left", "right", "top"]);
  await project.settled();
});

test("5,000 facts of one source, and one rule of them all, are built once for each change (trap 43)", async () => {
  const project = new TestProject(
    `
    const source = file("source");
    const all = Array.from({ length: 5000 }, (_, index) => fact({ name: "f" + index, needs: { source }, recipe: ({ source }) => source.text + index }));
    return [rule({ target: "top", needs: { all }, recipe: ({ all }) => String(all.length) })];
  `,
    { source: "1" },
  );
  assert.is((await project.build()).ran.length, 5001);
  assert.is(project.text("top"), "5000");
  assert.is(project.nothingToDo(), true);
  project.write("source", "2");
  assert.is((await project.build()).ran.length, 5001);
});

test("steps are built in the same way at -j 1 and at -j 64 (trap 44)", async () => {
  const body = `
    const parts = Array.from({ length: 50 }, (_, index) => rule({ target: "part/" + index, recipe: async () => { await new Promise(setImmediate); return String(index); } }));
    return [rule({ target: "whole", needs: { parts }, recipe: ({ parts }) => parts.map((one) => one.text).join() })];
  `;
  const texts = [];
  for (const jobs of [1, 64]) {
    const project = new TestProject(body);
    await project.build([], { jobs });
    texts.push(project.text("whole"));
    await project.settled();
  }
  assert.is(texts[0], texts[1]);
});

test("no more recipes run at the same time than -j allows", async () => {
  const project = new TestProject(`
    let running = 0; let most = 0;
    const parts = Array.from({ length: 12 }, (_, index) => fact({ name: "f" + index, recipe: async () => {
      most = Math.max(most, ++running); await new Promise(setImmediate); running--; return index;
    } }));
    return [rule({ target: "most", needs: { parts }, recipe: () => String(most) })];
  `);
  await project.build([], { jobs: 3 });
  assert.is(project.text("most"), "3");
});

test("a target or group that does not exist is reported with the one that was meant, all of them in one run", async () => {
  const project = new TestProject(
    `return [group("edge-installer", [rule({ target: "out/config.yaml", recipe: () => "" })])];`,
  );
  const { problems, ran } = await project.build(["edge-instaler", "out/konfig.yaml", "quite different"]);
  assert.equal(
    problems.map((one) => one.fix),
    ["did you mean edge-installer?", "did you mean out/config.yaml?", "dospesos list shows all targets"],
  );
  assert.equal(ran, []);
});

test("a group builds its members and those of the groups in it, and no other target", async () => {
  const project = new TestProject(`
    const [a, b, c] = ["a", "b", "c"].map((target) => rule({ target, recipe: () => target }));
    return [group("outer", [a!, group("inner", [b!])]), c!];
  `);
  assert.equal((await project.build(["inner"])).ran, ["b"]);
  assert.is(project.nothingToDo(["inner"]), true);
  assert.is(project.nothingToDo(["outer"]), false);
  assert.equal((await project.build(["outer"])).ran, ["a"]);
  assert.is(project.nothingToDo(["outer"]), true);
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build(["./c"])).ran, ["c"]);
  await project.settled();
});

test("each step is reported once, whether it ran or was fresh", async () => {
  const project = new TestProject(
    `return ["a", "b"].map((name) => rule({ target: "out/" + name, needs: { one: file(name) }, recipe: ({ one }) => one.text }));`,
    { a: "a", b: "b" },
  );
  await project.build();
  project.write("a", "aa");
  const outcome = await project.build();
  assert.equal([outcome.ran, outcome.fresh], [["out/a"], ["out/b"]]);
});

test.run();

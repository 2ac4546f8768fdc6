// Prerequisites that are values: settings, environment variables, facts.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { TestProject } from "./project.ts";

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
      assert.equal(
        [outcome.ran, outcome.reasons["out/read"]],
        [["out/read"], [{ kind: "environment", key: "ENGINE_TEST" }]],
      );
      assert.is(project.text("out/read"), value);
      await project.settled();
    }
    assert.not.match(project.text(".dospesos/snapshot"), "two", "its value is not kept");
  } finally {
    delete process.env["ENGINE_TEST"];
  }
});

test("an environment variable that is read no more keeps nothing from being fresh", async () => {
  const project = new TestProject(
    `return [rule({ target: "out/read", recipe: (_, { env }) => String(env("ENGINE_TEST")) })];`,
  );
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
  assert.equal(
    [outcome.ran, outcome.reasons["out/b"]],
    [["out/b"], [{ kind: "setting", key: "core b.group", from: "two", to: "three" }]],
  );
  await project.settled();
  project.setting("[aws]", "; a comment\n[aws]");
  assert.equal((await project.build()).ran, []);
  await project.settled();
  project.write(
    "settings.ini",
    project
      .text("settings.ini")
      .replace(/\[instance\]\nname = demo\n/, "")
      .concat("[instance]\nname = demo\n"),
  );
  assert.equal((await project.build()).ran, []);
  await project.settled();
  project.setting("eu-west-1", "us-east-1");
  assert.equal((await project.build()).ran, ["out/a", "out/b"]);
  await project.settled();
});

test("a key that is deleted and comes back with the same value runs nothing (trap 28)", async () => {
  const project = new TestProject(
    `return settings.cores.map((core) => rule({ target: "out/" + core.name, recipe: () => core.group }));`,
  );
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
  project.write(
    "settings.ini",
    `${project.text("settings.ini")}[core c]\ngroup = three\n[thing t]\ncore = c\n`,
  );
  assert.equal((await project.build()).ran, ["out/c", "out/thing-t"]);
  await project.settled();
  project.setting("[core b]\ngroup = two\n", "");
  const outcome = await project.build();
  assert.equal([outcome.ran, outcome.removed], [[], ["out/b"]]);
  await project.settled();
});

test("a list of names that a recipe reads runs it when a name comes", async () => {
  const project = new TestProject(
    `return [rule({ target: "out/names", recipe: (_, { settings }) => settings.cores.map((core) => core.name).join() })];`,
  );
  await project.build();
  project.write("settings.ini", `${project.text("settings.ini")}[core c]\n`);
  const outcome = await project.build();
  assert.equal(outcome.reasons["out/names"], [
    { kind: "names", key: "core", from: ["a", "b"], to: ["a", "b", "c"] },
  ]);
  assert.is(project.text("out/names"), "a,b,c");
  await project.settled();
});

test("what the Dofile reads itself is a prerequisite of the steps whose recipes it may have been closed over (trap 26)", async () => {
  for (const [body, name] of [
    [
      `const region = settings.aws.region; return [rule({ target: "out/x", recipe: () => region })];`,
      "value",
    ],
    [
      `return settings.cores.map((core) => { const region = settings.aws.region; return rule({ target: "out/" + core.name, recipe: () => region }); });`,
      "inside of map",
    ],
    [
      `const all = settings.cores.map(() => settings.aws.region); return [rule({ target: "out/x", recipe: () => all.join() })];`,
      "given by map",
    ],
    [
      `const all = settings.cores.map(() => settings.aws.region); return settings.cores.map((core) => rule({ target: "out/" + core.name, recipe: () => all.join() }));`,
      "given to another map",
    ],
    [
      `const all: string[] = []; for (const core of settings.cores) all.push(settings.aws.region); return [rule({ target: "out/x", recipe: () => all.join() })];`,
      "for of",
    ],
    [
      `const steps: ReturnType<typeof rule>[] = []; settings.cores.map((core) => { const { region } = settings.aws; steps.push(rule({ target: "out/" + core.name, recipe: () => region }) as never); }); return steps;`,
      "map that gives nothing",
    ],
  ] as const) {
    const project = new TestProject(body);
    assert.equal((await project.build()).problems, [], name);
    project.setting("eu-west-1", "us-east-1");
    assert.ok((await project.build()).ran.length > 0, name);
    await project.settled();
  }
});

test("settings that are saved while a build runs are seen by the next one, also when they were broken in between", async () => {
  for (const [region, code] of [
    ["us-east-1", "out/late"],
    ["!", undefined],
  ] as const) {
    const project = new TestProject(
      `
      const early = rule({ target: "out/early", recipe: async (_, { settings, root }) => {
        const { region } = settings.aws;
        if (region === "eu-west-1") writeFileSync(root + "/settings.ini", readFileSync(root + "/settings.ini", "utf8").replace("eu-west-1", "${region}"));
        return region;
      } });
      return [rule({ target: "out/late", needs: { early }, recipe: ({ early }, { settings }) => early.text + settings.aws.region })];
    `,
      {},
      `import { readFileSync, writeFileSync } from "node:fs";`,
    );
    const first = await project.build();
    assert.is(first.summary?.failed, 0);
    assert.is(project.nothingToDo(), false);
    if (code === undefined) {
      assert.is((await project.build()).problems[0]?.location?.file, "settings.ini");
    }
    project.write("settings.ini", project.text("settings.ini").replace(region, "us-west-2"));
    await project.build();
    assert.is(project.text("out/late"), "us-west-2us-west-2");
    await project.settled();
  }
});

test("a fact that comes out equal runs nothing above it: other key order, -0, undefined; an unequal one runs all (trap 29)", async () => {
  const project = new TestProject(
    `
    const value = fact({ name: "value", needs: { source: file("source") }, recipe: ({ source }) => new Function("return " + source.text)() as unknown });
    return [rule({ target: "out/value", needs: { value }, recipe: ({ value }) => JSON.stringify(value) })];
  `,
    { source: `{ a: 1, b: [0], c: undefined }` },
  );
  await project.build();
  for (const same of [`{ b: [-0], a: 1 }`, `{ b: [0], a: 1.0, c: undefined, d: undefined }`]) {
    project.write("source", same);
    assert.equal((await project.build()).ran, ["value"], same);
    await project.settled();
  }
  project.write("source", `{ a: 2, b: [0] }`);
  const outcome = await project.build();
  assert.equal(
    [outcome.ran, outcome.reasons["out/value"]],
    [["out/value", "value"], [{ kind: "fact", name: "value", from: { a: 1, b: [0] }, to: { a: 2, b: [0] } }]],
  );
  await project.settled();
});

test("a fact that JSON cannot hold is a problem that names the place in it (trap 29)", async () => {
  for (const [value, path] of [
    ["{ a: [NaN] }", "value.a[0]"],
    ["10n", "value"],
    ["{ a: { when: new Date(0) } }", "value.a.when"],
    ["undefined", "value"],
    ["() => 1", "value"],
  ]) {
    const { problems } = await new TestProject(
      `return [fact({ name: "x", recipe: () => (${value}) as unknown })];`,
    ).build();
    assert.equal(
      problems.map((one) => one.code),
      ["DP226"],
    );
    assert.ok(problems[0]!.what.startsWith(`x: ${path} is`), problems[0]!.what);
  }
});

test.run();

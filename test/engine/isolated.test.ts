// What `settings.cores.mapIsolated` keeps apart, and what depends on it all the same.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { TestProject } from "./project.ts";

const TWO = "[core a]\ngroup = g1\n[core b]\ngroup = g1\n[thing t]\ncore = a\n";

function projectOf(body: string): TestProject {
  const project = new TestProject(body);
  project.write("settings.ini", project.text("settings.ini").replace(/\[core[^]*$/, TWO));
  return project;
}

test("what was made by name depends on its own core, and who takes it on that core alone", async () => {
  const project = projectOf(`
    const cores = settings.cores.mapIsolated((core) => {
      const { group } = core;
      return { group, step: rule({ target: "out/" + core.name, recipe: () => group }) };
    });
    const first = cores.get("a");
    return [
      rule({ target: "out/alone", recipe: () => "alone" }),
      ...settings.things.map((thing) => rule({ target: "out/" + thing.name, needs: { core: cores.get(thing.core).step }, recipe: () => cores === undefined ? "" : first.group })),
      ...[...cores].map((core) => core.step),
    ];`);
  assert.equal((await project.build()).ran.length, 4);
  project.setting("[core b]\ngroup = g1", "[core b]\ngroup = g2");
  assert.equal((await project.build()).ran, ["out/b"]);
  project.setting("[core a]\ngroup = g1", "[core a]\ngroup = g3");
  const both = await project.build();
  assert.equal(
    [...both.ran].sort(),
    ["out/a", "out/alone", "out/t"],
    "out/alone is declared after a was taken, and could have closed over it",
  );
  assert.is(project.text("out/t"), "g3");
});

test("a core more or less is the business of what is made of all cores, and of no one else", async () => {
  const project = projectOf(`
    const cores = settings.cores.mapIsolated((core) => rule({ target: "out/" + core.name, recipe: () => core.group }));
    const things = settings.things.mapIsolated((thing) => rule({ target: "out/" + thing.name, needs: { core: cores.get(thing.core) }, recipe: ({ core }) => core.text }));
    const all = [...cores];
    return [...things, rule({ target: "out/all", needs: { all }, recipe: ({ all }) => all.map((one) => one.path).join() })];`);
  await project.build();
  project.setting("[thing t]", "[core c]\n[thing t]");
  assert.equal([...(await project.build()).ran].sort(), ["out/all", "out/c"]);
  project.setting("[core c]\n", "");
  assert.equal((await project.build()).ran, ["out/all"]);
  assert.is(project.text("out/all"), "out/a,out/b");
});

test("what was read before counts for what is made by name after it", async () => {
  const project = projectOf(`
    const groups = settings.cores.map((core) => core.group);
    return [...settings.things.mapIsolated((thing) => rule({ target: "out/" + thing.name, recipe: () => groups.join() }))];`);
  await project.build();
  project.setting("[core b]\ngroup = g1", "[core b]\ngroup = g2");
  assert.equal((await project.build()).ran, ["out/t"]);
  assert.is(project.text("out/t"), "g1,g2");
});

test("a recipe that asks for what was made by name is refused, with what to do", async () => {
  const project = projectOf(`
    const cores = settings.cores.mapIsolated((core) => core.group);
    return [rule({ target: "out/one", recipe: () => cores.get("a") })];`);
  const { failed, problems } = await project.build();
  assert.equal(failed, ["out/one"]);
  assert.equal(
    problems.map(({ code, fix }) => [code, fix]),
    [["DP244", "ask while the graph is made, outside of the recipe, and use there what came back"]],
  );
});

test.run();

// Prerequisites that are files: there or not, included, behind links, under any name.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { tempFolder } from "../support/temp.ts";
import { TestProject } from "./project.ts";

test("a file that a recipe looked for in vain runs it when it comes, also in a folder that was not there (traps 31, 33)", async () => {
  const project = new TestProject(
    `return [rule({ target: "out/x", recipe: (_, { readIfExists }) => readIfExists("over/ride/it")?.text ?? "default" })];`,
  );
  await project.build();
  assert.is(project.text("out/x"), "default");
  await project.settled();
  project.write("over/ride/it", "mine");
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).reasons["out/x"], [
    { kind: "file", path: "over/ride/it", change: "appeared" },
  ]);
  await project.settled();
  project.remove("over");
  project.remove("over/ride/it");
  assert.equal((await project.build()).reasons["out/x"], [
    { kind: "file", path: "over/ride/it", change: "vanished" },
  ]);
  await project.settled();
});

test("a template that is included is a prerequisite, and one that goes with the line that included it is none (trap 31)", async () => {
  const project = new TestProject(
    `return [rule({ target: "out/x.txt", recipe: (_, { render }) => render("t/outer.txt.njk", { who: "world" }) })];`,
    { "t/outer.txt.njk": `Hello {% include "inner.txt.njk" %}!`, "t/inner.txt.njk": "dear {{ who }}" },
  );
  const first = await project.build();
  if (first.problems.length > 0) {
    project.write("t/outer.txt.njk", `Hello {% include "t/inner.txt.njk" %}!`);
    await project.build();
  }
  assert.match(project.text("out/x.txt"), "dear world");
  await project.settled();
  project.write("t/inner.txt.njk", "you {{ who }}");
  assert.equal((await project.build()).ran, ["out/x.txt"]);
  await project.settled();
  project.write("t/outer.txt.njk", "Hello.");
  project.remove("t/inner.txt.njk");
  assert.equal((await project.build()).ran, ["out/x.txt"]);
  await project.settled();
});

test("a missing source is a problem that names it and who needs it; a missing output of a rule is made (trap 32)", async () => {
  const project = new TestProject(
    `
    const made = rule({ target: "gen/made", recipe: () => "made" });
    return [rule({ target: "out/x", needs: { source: file("source"), made }, recipe: ({ source, made }) => source.text + made.text })];
  `,
    { source: "s" },
  );
  await project.build();
  project.remove("source");
  rmSync(project.path("gen"), { recursive: true });
  const outcome = await project.build();
  assert.equal([outcome.ran, outcome.failed], [["gen/made"], ["out/x"]]);
  assert.equal(
    outcome.problems.map((one) => [one.code, one.location?.file, one.why]),
    [["DP227", "source", "out/x needs it"]],
  );
});

test("a link that is retargeted, dangles, loops, or whose target changes is noticed (trap 34)", async () => {
  const project = new TestProject(
    `return [rule({ target: "out/x", recipe: (_, { readIfExists }) => readIfExists("dir/link")?.text ?? "none" })];`,
    { "real/1/f": "1", "real/2/f": "2" },
  );
  project.link("../real/1/f", "dir/link");
  const expect = async (text: string): Promise<void> => {
    assert.is(project.nothingToDo(), false);
    await project.build();
    assert.is(project.text("out/x"), text);
    await project.settled();
  };
  await expect("1");
  project.link("../real/2/f", "dir/link");
  await expect("2");
  project.write("real/2/f", "3");
  await expect("3");
  project.link("../nowhere", "dir/link");
  await expect("none");
  project.link("link", "dir/link");
  const looping = await project.build();
  assert.equal(
    looping.problems.map((one) => one.location?.file),
    ["dir/link"],
  );
  project.link("../real/1/f", "dir/link");
  await expect("1");
});

test("a link to a folder above an input that is retargeted is noticed (trap 34)", async () => {
  const project = new TestProject(
    `return [rule({ target: "out/x", needs: { one: file("current/f"), all: glob("current/*") }, recipe: ({ one, all }) => one.text + all.length })];`,
    { "real/1/f": "1", "real/2/f": "2", "real/2/g": "" },
  );
  project.link("real/1", "current");
  await project.build();
  assert.is(project.text("out/x"), "11");
  await project.settled();
  project.link("real/2", "current");
  assert.is(project.nothingToDo(), false);
  await project.build();
  assert.is(project.text("out/x"), "22");
  await project.settled();
});

test("x, ./x, a/../x and the absolute path are one file (trap 35)", async () => {
  const project = new TestProject(
    `
    const made = rule({ target: "./gen/a/../made", recipe: () => "made" });
    return [made, rule({ target: "out/x", needs: { one: file("gen/made"), two: file("./source") }, recipe: ({ one, two }, { read, root }) => one.text + two.text + read(root + "/source").text + read("x/../source").text })];
  `,
    { source: "s" },
  );
  const outcome = await project.build();
  assert.equal([outcome.problems, outcome.ran], [[], ["gen/made", "out/x"]]);
  assert.is(project.text("out/x"), "madesss");
  await project.settled();
});

const ODD = [
  "with space",
  "new\nline",
  `quo"te'`,
  "$HOME",
  "-rf",
  "caf\u00e9",
  "e\u0301",
  "\u{1f600}",
  "x".repeat(255),
  "a:b",
  "a-b",
  "tab\t",
  "[a]",
  "{b,c}",
  "*",
  "back\\slash",
  "__proto__",
];

test("names with spaces, line breaks, quotes, accents, wildcards and 255 bytes are names like any other (traps 36, 37)", async () => {
  const project = new TestProject(
    `
    const names = ${JSON.stringify(ODD)};
    const made = names.map((name) => rule({ target: "out/" + name, needs: { source: file("in/" + name) }, recipe: ({ source }) => source.text }));
    return [...made, rule({ target: "list", needs: { all: glob("in/*"), made }, recipe: ({ all }) => all.map((one) => one.text).sort().join() })];
  `,
    Object.fromEntries(ODD.map((name, index) => [`in/${name}`, String(index)])),
  );
  const outcome = await project.build();
  assert.equal(outcome.problems, []);
  ODD.forEach((name, index) => assert.is(project.text(`out/${name}`), String(index)));
  assert.is(project.text("list").split(",").length, ODD.length);
  await project.settled();
  project.write("in/new\nline", "changed");
  assert.equal((await project.build()).ran, ["list", "out/new\nline"]);
  await project.settled();
  const json = project.run(["build", "--json", "--force", "out/new\nline"]);
  assert.is(json.code, 0, json.err);
  const lines = json.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { target?: string });
  assert.ok(lines.some((line) => line.target === "out/new\nline"));
});

test("a source outside of the project, by its absolute path, is a prerequisite", async () => {
  const outside = join(tempFolder("outside"), "f");
  writeFileSync(outside, "1");
  const project = new TestProject(
    `return [rule({ target: "out/x", needs: { one: file(${JSON.stringify(outside)}) }, recipe: ({ one }) => one.text })];`,
  );
  await project.build();
  await project.settled();
  writeFileSync(outside, "2");
  assert.is(project.nothingToDo(), false);
  assert.equal((await project.build()).ran, ["out/x"]);
  await project.settled();
});

test.run();

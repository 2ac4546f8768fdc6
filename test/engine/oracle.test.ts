import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { TestProject } from "./project.ts";

const MODULE = `import { file, glob, rule } from "dospesos";
import { suffix } from "./suffix.ts";
export const page = (name: string) => rule({ target: "out/" + name.slice(3) + ".html", needs: { source: file(name) }, recipe: ({ source }, { readIfExists }) => (readIfExists("head.txt")?.text ?? "no head") + source.text + suffix });
export const index = () => rule({ targets: { list: "out/list", count: "out/count" }, needs: { all: glob("in/*") }, recipe: ({ all }) => ({ list: all.map((one) => one.path + one.text).join(), count: String(all.length) }) });
`;
const HEAD = `import { page, index } from "./rules.ts";`;
const bodies = [
  `return [...find("in/*").map(page), index()];`,
  `const region = fact({ name: "region", recipe: () => settings.aws.region.slice(0, 2) });
   return [...find("in/*").map(page), rule({ target: "out/region", needs: { region }, recipe: ({ region }) => region }), rule({ target: "out/list", recipe: () => settings.instance.name })];`,
  `return settings.cores.map((core) => rule({ target: "out/" + core.name, recipe: (_, { glob }) => core.group + glob("**/*.md").length }));`,
];

type Change = (project: TestProject) => void;
/** A counterexample is shown as these words. */
const named = (words: string, change: Change): Change =>
  Object.assign(change, { [fc.toStringMethod]: () => words });
const name = fc.constantFrom("a", "b", "c.md", "d e");
const text = fc.constantFrom("", "1", "22");
const changes: fc.Arbitrary<Change> = fc.oneof(
  fc
    .tuple(name, text)
    .map(([one, content]) =>
      named(`write in/${one} ${content}`, (project) => project.write(`in/${one}`, content)),
    ),
  name.map((one) => named(`remove in/${one}`, (project) => project.remove(`in/${one}`))),
  text.map((content) => named(`write head.txt ${content}`, (project) => project.write("head.txt", content))),
  fc.constant(named("remove head.txt", (project) => project.remove("head.txt"))),
  text.map((content) =>
    named(`suffix ${content}`, (project) =>
      project.write("suffix.ts", `export const suffix = ${JSON.stringify(content)};\n`),
    ),
  ),
  fc
    .constantFrom(...bodies)
    .map((body) => named(`Dofile ${bodies.indexOf(body)}`, (project) => project.dofile(body, HEAD))),
  fc
    .constantFrom("eu-west-1", "eu-west-2", "us-east-1")
    .map((region) =>
      named(`region ${region}`, (project) =>
        project.write(
          "settings.ini",
          project.text("settings.ini").replace(/region = .*/, `region = ${region}`),
        ),
      ),
    ),
  fc
    .constantFrom("one", "two", "three")
    .map((group) =>
      named(`group ${group}`, (project) =>
        project.write("settings.ini", project.text("settings.ini").replace(/group = .*/, `group = ${group}`)),
      ),
    ),
);
// A file edited by hand stays if its rule goes, so only what the next build makes is edited, and last.
const edits = fc.constantFrom("out/list", "out/a.html").map((output) =>
  named(`edit ${output}`, (project) => {
    if (!project.exists(output)) {
      return;
    }
    project.tamper(output, "by hand");
    project.dofile(bodies[0]!, HEAD);
    project.write("in/a", "a");
  }),
);
const anyRounds = fc.array(fc.tuple(fc.array(changes, { maxLength: 4 }), fc.array(edits, { maxLength: 1 })), {
  minLength: 2,
  maxLength: 5,
});

test("after any edits a build makes what a clean build elsewhere makes, and the next one has nothing to do", async () => {
  await fc.assert(
    fc.asyncProperty(anyRounds, async (rounds) => {
      const project = new TestProject(
        bodies[0]!,
        { "in/a": "a", "in/b": "b", "rules.ts": MODULE, "suffix.ts": `export const suffix = "";\n` },
        HEAD,
      );
      for (const round of rounds) {
        for (const change of round.flat()) {
          change(project);
        }
        assert.equal((await project.build()).problems, []);
        await project.settled();
      }
    }),
    { numRuns: Number(process.env["DOSPESOS_TEST_RUNS"] ?? 6) },
  );
});

test.run();

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import fastGlob from "fast-glob";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { pages } from "../docs/make.ts";

for (const [name, text] of Object.entries(pages)) {
  test(`docs/${name} is what the code says (npm run docs)`, () => {
    assert.fixture(readFileSync(new URL(`../docs/${name}`, import.meta.url), "utf8"), text());
  });
}

const repository = fileURLToPath(new URL("..", import.meta.url));

test("every relative link in the Markdown files leads to a file", () => {
  const broken = fastGlob
    .globSync(["*.md", "docs/**/*.md", "examples/**/*.md", ".github/**/*.md", "terraform/*/*.md"], {
      cwd: repository,
      dot: true,
    })
    .flatMap((page) =>
      Array.from(
        readFileSync(join(repository, page), "utf8").matchAll(/\]\((?!https?:|#)([^)#\s]+)/g),
        ([, to]) => ({
          page,
          to: to!,
        }),
      ),
    )
    .filter(({ page, to }) => !existsSync(join(repository, dirname(page), to)));
  assert.equal(broken, []);
});

test("the traps that tests cite are in docs/traps.md", () => {
  const listed = new Set(
    Array.from(readFileSync(join(repository, "docs/traps.md"), "utf8").matchAll(/^(\d+)\. /gm), ([, n]) => n),
  );
  const cited = fastGlob
    .globSync("test/**/*.ts", { cwd: repository })
    .flatMap((file) => [...readFileSync(join(repository, file), "utf8").matchAll(/\btrap (\d+)/g)])
    .map(([, number]) => number);
  assert.equal(
    cited.filter((number) => !listed.has(number)),
    [],
  );
  assert.is(listed.size, 67);
});

test.run();

import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { pages } from "../docs/make.ts";

for (const [name, text] of Object.entries(pages)) {
  test(`docs/${name} is what the code says (npm run docs)`, () => {
    assert.fixture(readFileSync(new URL(`../docs/${name}`, import.meta.url), "utf8"), text());
  });
}

test.run();

import { test } from "uvu";
import * as assert from "uvu/assert";
import { palette } from "../../lib/ui/palette.ts";

const isColored = (
  wish: boolean | undefined,
  terminal: boolean | undefined,
  environment: NodeJS.ProcessEnv,
): boolean => palette(wish, terminal, environment).red("x") !== "x";

test("colours are for terminals", () => {
  assert.ok(isColored(undefined, true, {}));
  assert.not(isColored(undefined, false, {}));
  assert.not(isColored(undefined, true, { TERM: "dumb" }));
});

test("NO_COLOR wins over FORCE_COLOR, and FORCE_COLOR=0 means none", () => {
  assert.not(isColored(undefined, true, { NO_COLOR: "1", FORCE_COLOR: "1" }));
  assert.ok(isColored(undefined, false, { FORCE_COLOR: "1" }));
  assert.not(isColored(undefined, true, { FORCE_COLOR: "0" }));
  assert.not(isColored(undefined, false, { CI: "true" }));
});

test("--color and --no-color win over all", () => {
  assert.ok(isColored(true, false, { NO_COLOR: "1" }));
  assert.not(isColored(false, true, { FORCE_COLOR: "1" }));
});

test.run();

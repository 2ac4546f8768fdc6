import { readFileSync } from "node:fs";
import fastGlob from "fast-glob";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { codes, ProblemError } from "../../lib/problem/index.ts";

const sources = fastGlob.globSync(["lib/**/*.{ts,cjs}", "rules/*.ts", "edge/**/*.mjs"], {
  ignore: ["lib/problem/**"],
});
const used = sources.flatMap((file) =>
  [...readFileSync(file, "utf8").matchAll(/"(DP\d{3})"/g)].map(([, code]) => ({ file, code: code! })),
);

test("each code that the program reports is in the table, and each one in the table is reported", () => {
  assert.equal([...new Set(used.map(({ code }) => code))].sort(), Object.keys(codes).sort());
});

test("a code is reported by the room that the table names, or by a command before it enters that room", () => {
  for (const { file, code } of used) {
    const { room } = codes[code as keyof typeof codes];
    assert.ok(
      [`lib/${room}/`, `${room}/`, "lib/cli/"].some((folder) => file.startsWith(folder)),
      `${code} belongs to ${room}, not to ${file}`,
    );
  }
});

test("each code has a meaning of its own", () => {
  const meanings = Object.values(codes).map(({ meaning }) => meaning);
  assert.is(new Set(meanings).size, meanings.length);
});

test("problems that ask for a person decide the exit code, then those of settings and usage", () => {
  const failed = { code: "DP229", what: "a" } as const;
  const usage = { code: "DP202", what: "b" } as const;
  const person = { code: "DP609", what: "c" } as const;
  assert.is(new ProblemError([failed]).exitCode, 1);
  assert.is(new ProblemError([failed, usage]).exitCode, 2);
  assert.is(new ProblemError([failed, person, usage]).exitCode, 4);
  assert.is(new ProblemError([{ code: "X1", what: "of a project" }]).exitCode, 1);
});

test.run();

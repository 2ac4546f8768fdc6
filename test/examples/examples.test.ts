// The three projects in examples/, each in a copy of its own.
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { dospesos } from "../support/bin.ts";
import { ran, repository } from "../support/clone.ts";
import { edit, textOf } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";
import { testWith } from "../support/tools.ts";

function example(name: string): { readonly root: string; readonly build: () => string[] } {
  const root = join(tempFolder("example"), name);
  cpSync(join(repository, "examples", name), root, { recursive: true });
  const build = (): string[] => {
    const ended = dospesos(root, "build", "--json");
    assert.is(ended.exit, 0, ended.stderr);
    return ran(ended);
  };
  return { root, build };
}

test("site: one value changes what uses it, and nothing else", () => {
  const { root, build } = example("site");
  assert.ok(build().includes("out/compose.yaml"));
  assert.match(textOf(root, "out/compose.yaml"), 'hostname: "www.example.org"');
  edit(root, "site.json", '"/drafts"', '"/secret"');
  assert.ok(build().includes("out/robots.txt"));
  assert.match(textOf(root, "out/robots.txt"), "Disallow: /secret\n");
  assert.equal(build(), []);
});

testWith(test, ["cc"], "c: a header that nobody listed makes its units and the program anew", () => {
  const { root, build } = example("c");
  assert.equal(build(), ["out/greet", "out/greet.s", "out/main.s"]);
  assert.is(execFileSync(join(root, "out/greet"), { encoding: "utf8" }), "hello, world\n");
  edit(root, "src/greet.h", '"hello"', '"good evening"');
  // main.c includes it, too, but its assembly comes out the same.
  assert.equal(build(), ["out/greet", "out/greet.s", "out/main.s"]);
  assert.is(execFileSync(join(root, "out/greet"), { encoding: "utf8" }), "good evening, world\n");
  assert.equal(build(), []);
});

test("fleet: a core more makes its own sheet and the list", () => {
  const { root, build } = example("fleet");
  assert.equal(build(), ["out/fleet.json", "out/gate.md", "out/pump-1.md", "out/pump-2.md"]);
  edit(
    root,
    "settings.ini",
    "[core gate]",
    "[core pump-3]\ngroup = pumps\nhost = pi@pump-3.local\n[core gate]",
  );
  assert.equal(build(), ["out/fleet.json", "out/pump-3.md"]);
  assert.is((JSON.parse(readFileSync(join(root, "out/fleet.json"), "utf8")) as unknown[]).length, 4);
});

test.run();

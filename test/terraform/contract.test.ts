// lib/modules/contract.ts is what the HCL says.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MODULE_NAMES, modules } from "../../lib/modules/contract.ts";
import { repository } from "../support/clone.ts";

function hcl(module: string): string {
  const folder = join(repository, "terraform", module);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".tf"))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n");
}

/** The labels of all blocks of a kind: `variable "x" {` is x, `resource "type" "name" {` is type.name. */
function blocks(text: string, kind: string): string[] {
  return Array.from(text.matchAll(new RegExp(`^${kind} ((?:"[^"]+" )+)\\{`, "gm")), ([, labels]) =>
    labels!.trim().replaceAll('"', "").replaceAll(" ", "."),
  ).sort();
}

for (const module of MODULE_NAMES) {
  const { variables, outputs, imports } = modules[module];

  test(`terraform/${module} has the variables and outputs of the contract, all texts with a description`, () => {
    const text = hcl(module);
    assert.equal(blocks(text, "variable"), [...variables].sort());
    assert.equal(blocks(text, "output"), [...outputs].sort());
    for (const [, name, body] of text.matchAll(/^(?:variable|output) "([^"]+)" \{\n([^]*?)^\}/gm)) {
      assert.match(body!, /^ {2}description +=/m, name);
    }
    for (const [, name, body] of text.matchAll(/^variable "([^"]+)" \{\n([^]*?)^\}/gm)) {
      assert.match(body!, /^ {2}type +=\s*string$/m, name);
    }
  });

  test(`terraform/${module}: every resource whose name a person gives is imported by that name`, () => {
    const text = hcl(module);
    const named = Array.from(
      text.matchAll(/^resource "([^"]+)" "([^"]+)" \{\n([^]*?)^\}/gm),
      ([, type, name, body]) => {
        // `name` of most resources, `alias` of a role alias: what the provider takes as the id of an import.
        const variable = /^ {2}(?:name|alias) +=\s*var\.(\w+)$/m.exec(body!)?.[1];
        return variable === undefined ? [] : [[`${type}.${name}`, variable] as const];
      },
    ).flat();
    // A role's own policy goes and comes with its role.
    const own = named.filter(([address]) => !address.startsWith("aws_iam_role_policy."));
    assert.equal(Object.fromEntries(own), imports);
  });
}

test.run();

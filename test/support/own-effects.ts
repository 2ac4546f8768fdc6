import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const RULES = `import { appendFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { accountEffect, accountKind, effect, effectKind, ensureThingGroup, removeThingGroup, type Settings } from "dospesos";

const fleetGroup = accountKind({
  kind: "fleet group",
  version: "1",
  destroy: ({ name }) => ({
    changes: ["-   thing group " + name],
    run: ({ access }, { settings }) => removeThingGroup(access, name, settings.instance.name),
  }),
});

const entry = effectKind<{ readonly line: string }>({
  kind: "register entry",
  version: "1",
  destroy: async ({ name }, { root }) => ({
    changes: ["-   entry " + name + " of the register"],
    run: async () => rmSync(join(root, "register-" + name), { force: true }),
  }),
  verify: async ({ name, outputs }, { root }) =>
    existsSync(join(root, "register-" + name)) ? [] : [{ address: name, what: "has no line " + outputs.line }],
});

export function ownEffects(settings: Settings) {
  const east = accountEffect({
    kind: fleetGroup,
    name: "east",
    needs: {},
    changes: () => ["thing group east: make it"],
    apply: ({ access }) => ensureThingGroup(access, { name: "east", instance: settings.instance.name }),
  });
  const registered = effect({
    kind: entry,
    name: "east",
    target: "markers of my own/east.remembered",
    needs: { east },
    apply: async (_, { root }) => {
      appendFileSync(join(root, "register-east"), "one line\\n");
      return { line: "one line" };
    },
  });
  const forGood = effect({ name: "a letter sent", target: "letter.json", needs: {}, apply: async () => ({ sent: true }) });
  return [registered, forGood];
}
`;

/**
 * Gives a clone of the shipped project three effects of its own: one in the account, one that needs it and has a
 * marker with a name and a folder of its own choice, and one that cannot be undone.
 */
export function addOwnEffects(root: string): void {
  writeFileSync(join(root, "rules", "own.ts"), RULES);
  writeFileSync(join(root, "Dofile.ts"), withOwnEffects(readFileSync(join(root, "Dofile.ts"), "utf8")));
}

function withOwnEffects(dofile: string): string {
  return `import { ownEffects } from "./rules/own.ts";\n${dofile.replace("  return [\n", '  return [\n    group("own", ownEffects(settings)),\n')}`;
}

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { keysFolder, outputFolder, sandboxFile } from "../../layout.ts";
import { appliedEffects, planTeardown, type AppliedEffect } from "../../account/teardown.ts";
import { elsewhere, worldOf } from "../../account/world.ts";
import { didYouMean, ProblemError, shown, type Problem } from "../../problem/index.ts";
import type { Settings } from "../../settings/index.ts";
import { askConsent, askForWord } from "../../ui/consent.ts";
import { command } from "../command.ts";
import { noWait, yes } from "../options.ts";
import { openProject } from "../project.ts";

/**
 * `dospesos destroy [NAME…]`: undoes everything that the project has applied, in the reverse order of its making;
 * with names only what belongs to these cores and things, which the settings may have no longer. In a real
 * account a person types the instance's name, or those names; in the sandbox a yes, or --yes, is enough.
 */
export const destroy = command({
  options: { yes, noWait },
  exits: { 0: "destroyed", 3: "another run works here (--no-wait)", 4: "nobody consented" },
  examples: ["destroy", "destroy core-2 thing-2"],
  locks: true,
  run: async (context) => {
    const { options, root, emit, signal } = context;
    const { session, settings, account } = openProject(context);
    const names = new Set(context.names);
    const word = names.size === 0 ? settings.instance.name : [...names].join(" ");
    const applied = await appliedEffects(session, account);
    checkNames(applied, names);
    if (options.yes && !settings.sandbox) {
      throw new ProblemError([
        {
          code: "DP204",
          what: "--yes does not destroy anything in a real account",
          why: "what devices in the field need would be gone",
          fix: `run it without --yes at a terminal and type ${word}`,
        },
      ]);
    }
    const isSelected = ({ subjects }: AppliedEffect): boolean =>
      names.size === 0 || subjects.some((name) => names.has(name));
    const { steps, left } = await planTeardown(applied.filter(isSelected), account);
    const changing = steps.filter(({ changes }) => changes.length > 0);
    emit({
      type: "plan",
      effects: changing.map(({ effect, changes }) => ({ name: `destroy ${effect}`, changes })),
    });
    const isConsented = settings.sandbox
      ? options.yes || (await askConsent("Destroy all of this?", signal))
      : await askForWord(
          `Devices in the field stop working. Type ${word} to destroy all of this:`,
          word,
          signal,
        );
    if (!isConsented) {
      const fix = settings.sandbox
        ? "run it at a terminal and say yes, or with --yes"
        : `run it at a terminal and type ${word}`;
      emit({ type: "declined", command: "destroy", fix });
      return 4;
    }
    for (const step of steps) {
      signal.throwIfAborted();
      await step.run();
      if (changing.includes(step)) {
        emit({ type: "destroyed", effect: step.effect });
      }
    }
    for (const { effect, file } of left) {
      emit({ type: "left", name: effect, what: `it cannot be undone; its marker ${file} stays` });
    }
    const rest = names.size === 0 ? leftOfAll(root, settings) : leftOfNames(root, names, settings);
    for (const [name, what] of rest) {
      emit({ type: "left", name, what });
    }
    for (const one of names.size === 0 ? elsewhere(root, () => worldOf(session.observer.settings)) : []) {
      emit({ type: "elsewhere", ...one });
    }
    return 0;
  },
});

/** @throws ProblemError (exit 2) for a name that no applied effect belongs to. */
function checkNames(applied: readonly AppliedEffect[], names: ReadonlySet<string>): void {
  const known = [...new Set(applied.flatMap(({ subjects }) => subjects))];
  const problems = [...names]
    .filter((name) => !known.includes(name))
    .map((name): Problem => {
      const meant = didYouMean(name, known);
      return {
        code: "DP206",
        what: `no core or thing ${shown(name)} was applied from here${meant === undefined ? "" : `; did you mean ${meant}?`}`,
        fix: "dospesos inventory shows what is in the account",
      };
    });
  if (problems.length > 0) {
    throw new ProblemError(problems);
  }
}

type Left = readonly [name: string, what: string];

/** What stays of some cores and things. */
function leftOfNames(root: string, names: ReadonlySet<string>, { cores, things }: Settings): Left[] {
  const declared = [...cores, ...things].map(({ name }) => name).filter((name) => names.has(name));
  const keys = [...names]
    .map((name) => `${keysFolder()}/${name}`)
    .filter((path) => existsSync(join(root, path)));
  return [
    ...keys.map((path): Left => [path, "a private key: a new certificate can be had for it"]),
    ...declared.map((name): Left => ["settings.ini", `${name}: the next build makes it anew`]),
  ];
}

/** What stays, for a person to decide. */
function leftOfAll(root: string, { sandbox, terraform }: Settings): Left[] {
  const files: readonly Left[] = [
    [keysFolder(), "private keys: a new certificate can be had for them"],
    [outputFolder(), "bundles: their certificates are void; dospesos clean removes them"],
    ...(sandbox
      ? ([[dirname(sandboxFile()), "the sandbox itself, with what others have made in it"]] as const)
      : []),
  ];
  const bucket: readonly Left[] =
    terraform.backend === "s3"
      ? [[`s3://${terraform.bucket}`, "the bucket, with empty states and their older versions"]]
      : [];
  return [...files.filter(([path]) => existsSync(join(root, path))), ...bucket];
}

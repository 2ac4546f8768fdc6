import { existsSync } from "node:fs";
import { join } from "node:path";
import { settingsOf } from "../../account/modules.ts";
import { appliedEffects, planTeardown, type AppliedEffect } from "../../account/teardown.ts";
import { elsewhere, elsewhereText, worldOf } from "../../account/world.ts";
import { acquireLock } from "../../engine/index.ts";
import { didYouMean, ProblemError, shown, type Problem } from "../../problem/index.ts";
import { askConsent, askForWord } from "../../ui/consent.ts";
import type { Settings } from "../../settings/index.ts";
import type { Run } from "../run.ts";

/**
 * `dospesos destroy [NAME…]`: undoes everything that the project has applied, in the reverse order of its making;
 * with names only what belongs to these cores and things, which the settings may have no longer. In a real
 * account a person types the instance's name, or those names; in the sandbox a yes, or --yes, is enough. Exit 0,
 * 4 where nobody consented.
 */
export async function destroy(run: Run): Promise<number> {
  const { args, root, screen, signal } = run;
  const lock = await acquireLock(root, {
    command: "dospesos destroy",
    wait: args.wait,
    signal,
    onWait: (holder) => screen.emit({ type: "lock-wait", holder }),
  });
  try {
    const session = run.open();
    const settings = settingsOf(session.observer.settings, session.observer.settingsFile);
    const names = new Set(args.targets);
    const word = names.size === 0 ? settings.instance.name : [...names].join(" ");
    const context = { root, settings, signal, note: (what: string) => screen.emit({ type: "note", what }) };
    const applied = await appliedEffects(session, context);
    checkNames(applied, names);
    if (args.yes && !settings.sandbox) {
      throw new ProblemError([
        {
          code: "DP204",
          what: "--yes does not destroy anything in a real account",
          why: "what devices in the field need would be gone",
          fix: `run it without --yes at a terminal and type ${word}`,
        },
      ]);
    }
    const isMeant = ({ subjects }: AppliedEffect): boolean =>
      names.size === 0 || subjects.some((name) => names.has(name));
    const { steps, left } = await planTeardown(applied.filter(isMeant), context);
    const shownSteps = steps.filter(({ changes }) => changes.length > 0);
    screen.emit({
      type: "plan",
      effects: shownSteps.map(({ effect, changes }) => ({ name: `destroy ${effect}`, changes })),
    });
    const consented = settings.sandbox
      ? args.yes || (await askConsent("Destroy all of this?", signal))
      : await askForWord(
          `Devices in the field stop working. Type ${word} to destroy all of this:`,
          word,
          signal,
        );
    if (!consented) {
      screen.say("nothing was destroyed: say yes at a terminal, or run it with --yes (sandbox only)");
      return 4;
    }
    for (const step of steps) {
      signal.throwIfAborted();
      await step.run();
      if (shownSteps.includes(step)) {
        screen.say(`destroyed ${step.effect}`);
      }
    }
    const kept = left.map(({ effect, file }) => `${effect}: it cannot be undone; its marker ${file} stays`);
    const others = names.size === 0 ? elsewhere(root, worldOf(session.observer.settings)) : [];
    for (const line of [
      ...(names.size === 0 ? leftBehind(root, settings) : leftOf(root, names, settings)),
      ...kept,
      ...others.map(elsewhereText),
    ]) {
      screen.say(`left      ${line}`);
    }
    return 0;
  } finally {
    lock.release();
  }
}

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
        fix: "dospesos things shows what is in the account",
      };
    });
  if (problems.length > 0) {
    throw new ProblemError(problems);
  }
}

/** What stays of some cores and things. */
function leftOf(root: string, names: ReadonlySet<string>, { cores, things }: Settings): string[] {
  const declared = [...cores, ...things].map(({ name }) => name).filter((name) => names.has(name));
  const keys = [...names].map((name) => `edge/keys/${name}`).filter((path) => existsSync(join(root, path)));
  return [
    ...keys.map((path) => `${path}: a private key: a new certificate can be had for it`),
    ...declared.map((name) => `settings.ini: ${name}: the next build makes it anew`),
  ];
}

/** What stays, for a person to decide. */
function leftBehind(root: string, { sandbox, terraform }: Settings): string[] {
  const left: [string, string][] = [
    ["edge/keys", "private keys: a new certificate can be had for them"],
    ["edge/out", "bundles: their certificates are void; dospesos clean removes them"],
    ...(sandbox
      ? [
          ["terraform/state/sandbox", "the sandbox itself, with what others have made in it"] as [
            string,
            string,
          ],
        ]
      : []),
  ];
  const there = left
    .filter(([path]) => existsSync(join(root, path)))
    .map(([path, what]) => `${path}: ${what}`);
  return [
    ...there,
    ...(terraform.backend === "s3"
      ? [`s3://${terraform.bucket}: the bucket, with states that know of nothing and their older versions`]
      : []),
  ];
}

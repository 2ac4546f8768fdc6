import { withAccount } from "../../account/account.ts";
import { withDevices } from "../../account/data-plane.ts";
import { settingsOf } from "../../account/modules.ts";
import type { Link } from "../../check/chain.ts";
import { acquireLock } from "../../engine/index.ts";
import { didYouMean, ProblemError, shown, visible } from "../../problem/index.ts";
import type { Settings } from "../../settings/index.ts";
import type { Run } from "../run.ts";

/**
 * `dospesos check [CORE|THING…]`: the chain from each core's service to a message received, one line a link
 * on stdout, no further than the first that is broken. Exit 0 if none is, else 1. It changes nothing but
 * sends one message per thing.
 */
export async function check(run: Run): Promise<number> {
  const { args, root, screen, signal } = run;
  const lock = await acquireLock(root, {
    command: "dospesos check",
    wait: true,
    signal,
    onWait: (holder) => screen.emit({ type: "lock-wait", holder }),
  });
  try {
    const session = run.open();
    const settings = settingsOf(session.observer.settings, session.observer.settingsFile);
    const { cores, things } = named(settings, args.targets);
    const [{ coreLinks }, { thingLinks }] = await Promise.all([
      import("../../check/core-links.ts"),
      import("../../check/thing-links.ts"),
    ]);
    return await withDevices({ root, settings, told: () => {} }, () =>
      withAccount({ root, settings }, async (account) => {
        const context = { root, account, signal };
        let isWhole = true;
        const tell = (kind: string, name: string, links: readonly Link[]): void => {
          isWhole &&= links.every(({ state }) => state !== "broken");
          tellChain(run, kind, name, links);
        };
        for (const core of cores) {
          const links = await coreLinks(context, core);
          tell("core", core.name, links);
          for (const thing of things.filter((one) => one.core === core.name)) {
            signal.throwIfAborted();
            if (links.every(({ state }) => state !== "broken")) {
              tell("thing", thing.name, await thingLinks(context, thing));
            } else if (!args.json) {
              screen.answer(`thing ${thing.name}\n  not looked at: its core comes first`);
            }
          }
        }
        screen.say(isWhole ? "no link is broken" : "broken: see the cause above");
        return isWhole ? 0 : 1;
      }),
    );
  } finally {
    lock.release();
  }
}

/** What was asked for: a thing needs its core's links, a core its own alone, and nothing named means all. */
function named(settings: Settings, names: readonly string[]) {
  const [cores, things] = [[...settings.cores], [...settings.things]];
  if (names.length === 0) {
    return { cores, things };
  }
  const known = [...cores, ...things].map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new ProblemError(
      unknown.map((name) => {
        const meant = didYouMean(name, known);
        return {
          code: "DP203",
          what: `there is no core and no thing ${shown(name)}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
          fix: `one of ${known.join(", ")}`,
        };
      }),
    );
  }
  const chosen = things.filter(({ name, core }) => names.includes(name) || names.includes(core));
  return {
    cores: cores.filter(({ name }) => names.includes(name) || chosen.some(({ core }) => core === name)),
    things: chosen,
  };
}

const WORDS = { ok: "ok", broken: "BROKEN", unseen: "unseen" } as const;

function tellChain({ args, screen }: Run, kind: string, name: string, links: readonly Link[]): void {
  if (args.json) {
    return screen.answer(
      JSON.stringify({
        type: "check",
        kind,
        name,
        broken: links.find(({ state }) => state === "broken")?.link ?? null,
        links,
      }),
    );
  }
  screen.answer(`${kind} ${name}`);
  for (const { link, state, what, cause, fix } of links) {
    screen.answer(`  ${WORDS[state].padEnd(6)}  ${link.padEnd(24)}  ${visible(what)}`);
    if (cause !== undefined) {
      screen.answer(`          cause: ${visible(cause)}`);
    }
    if (fix !== undefined) {
      screen.answer(`          fix: ${visible(fix)}`);
    }
  }
}

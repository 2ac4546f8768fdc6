import {
  acquireLock,
  build as buildTargets,
  explain,
  finish,
  openStore,
  selectSteps,
  type Summary,
} from "../../engine/index.ts";
import { nothingToDoText } from "../../engine/run/nothing-to-do.ts";
import { elsewhere, elsewhereText, worldOf } from "../../account/world.ts";
import { askConsent } from "../../ui/consent.ts";
import type { Run } from "../run.ts";
import { tellExplanation } from "./status.ts";

/**
 * `dospesos build`: exit 0, 1 if a step failed, 2 if a recipe found wrong settings, 4 if something waits for
 * a person.
 */
export async function build(run: Run): Promise<number> {
  const { args, root, screen, signal } = run;
  if (args.dryRun) {
    return dryRun(run);
  }
  const begin = performance.now();
  const lock = await acquireLock(root, {
    command: `dospesos ${process.argv.slice(2).join(" ")}`,
    wait: args.wait,
    signal,
    onWait: (holder) => screen.emit({ type: "lock-wait", holder }),
  });
  try {
    if (args.verify) {
      const { forgetDrifted, verify } = await import("../verify.ts");
      forgetDrifted(root, await verify(run));
    }
    const session = run.open();
    for (const one of elsewhere(root, worldOf(session.observer.settingsIfAny))) {
      screen.emit({ type: "note", what: elsewhereText(one) });
    }
    const store = openStore(session, screen.emit);
    let summary: Summary;
    let refused = 0;
    try {
      summary = await buildTargets(
        session,
        store,
        {
          ...args,
          effects: "run",
          consent: async (effects) => {
            const consented =
              args.yes || (await askConsent(`Apply these changes (${effects.length})?`, signal));
            if (!consented) {
              refused = effects.length;
            }
            return consented;
          },
        },
        screen.emit,
        signal,
      );
    } finally {
      store.checkpoint();
    }
    await finish(session, store);
    const ms = Math.round(performance.now() - begin);
    screen.emit({
      type: "end",
      ran: summary.ran,
      fresh: summary.fresh,
      failed: summary.failed,
      skipped: summary.skipped,
      ms,
    });
    tell(run, summary, refused, ms);
    return summary.exit;
  } finally {
    lock.release();
  }
}

function tell({ args, screen, signal }: Run, summary: Summary, refused: number, ms: number): void {
  if (signal.aborted) {
    return screen.say(
      `interrupted: ${summary.ran} made, ${summary.failed + summary.skipped} not; the next build goes on from here`,
    );
  }
  if (summary.ran + summary.failed + summary.skipped === 0) {
    return screen.say(nothingToDoText("", args.targets));
  }
  const parts = [`${summary.ran} made`, `${summary.fresh} fresh`];
  if (summary.failed > 0) {
    parts.push(`${summary.failed} failed`);
  }
  if (summary.skipped > 0) {
    parts.push(`${summary.skipped} not made`);
  }
  screen.say(`${parts.join(", ")} in ${(ms / 1000).toFixed(1)} s`);
  if (refused > 0) {
    screen.say("the planned changes were not made: run again at a terminal and say yes, or with --yes");
  }
}

async function dryRun(run: Run): Promise<number> {
  const { args, screen } = run;
  const session = run.open();
  const graph = await session.graph(false);
  const explanations = explain(session, graph, selectSteps(session.state, graph, args.targets));
  const notFresh = explanations.filter((one) => one.freshness !== "fresh");
  for (const one of notFresh) {
    tellExplanation(run, one, { stale: "would make", unknown: "may make", fresh: "fresh" });
  }
  if (!args.json) {
    screen.say(
      notFresh.length === 0
        ? nothingToDoText("", args.targets)
        : `${notFresh.length} of ${explanations.length} targets; nothing was done`,
    );
  }
  return 0;
}

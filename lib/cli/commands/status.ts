import { acquireLock, explain, selectSteps, type Explanation, type Freshness } from "../../engine/index.ts";
import { reasonText } from "../../ui/reason-text.ts";
import { visible } from "../../problem/index.ts";
import type { Run } from "../run.ts";
import type { Verified } from "../verify.ts";

/**
 * `dospesos status`: one line a target on stdout; exit 0 only if all are fresh, else 1. Writes nothing. With
 * --verify also the account is asked; a target that is fresh by its marker but not there is told as drift.
 */
export async function status(run: Run): Promise<number> {
  const { args, screen } = run;
  const drifted = args.verify ? await driftedNow(run) : [];
  const session = run.open();
  const graph = await session.graph(false);
  const explanations = explain(session, graph, selectSteps(session.state, graph, args.targets));
  for (const one of explanations) {
    tellExplanation(run, one, { fresh: "fresh", stale: "stale", unknown: "unknown" });
  }
  const count = (freshness: Freshness): number =>
    explanations.filter((one) => one.freshness === freshness).length;
  if (!args.json) {
    screen.say(`${count("fresh")} fresh, ${count("stale")} stale, ${count("unknown")} unknown`);
  }
  return drifted.length === 0 && explanations.every((one) => one.freshness === "fresh") ? 0 : 1;
}

/** Terraform works in the modules' folders: not while a build does. */
async function driftedNow(run: Run): Promise<readonly Verified[]> {
  const { root, screen, signal } = run;
  const { verify } = await import("../verify.ts");
  const lock = await acquireLock(root, {
    command: "dospesos status --verify",
    wait: true,
    signal,
    onWait: (holder) => screen.emit({ type: "lock-wait", holder }),
  });
  try {
    return (await verify(run)).filter(({ drift }) => drift.length > 0);
  } finally {
    lock.release();
  }
}

/** One target as a line of the answer: for a person with the first reasons, as JSON with all. */
export function tellExplanation(
  { args, screen }: Run,
  one: Explanation,
  words: Readonly<Record<Freshness, string>>,
): void {
  if (args.json) {
    return screen.answer(
      JSON.stringify({
        type: "status",
        target: one.target,
        effect: one.effect,
        status: one.freshness,
        reasons: one.reasons,
      }),
    );
  }
  const width = Math.max(...Object.values(words).map((word) => word.length));
  const reasons = one.reasons.map(reasonText);
  const more = reasons.length > 2 ? ` (+${reasons.length - 2} more)` : "";
  const why = reasons.length === 0 ? "" : `  ${reasons.slice(0, 2).join("; ")}${more}`;
  screen.answer(`${words[one.freshness].padEnd(width)}  ${visible(one.target)}${why}`);
}

import { explain, selectSteps, stepName } from "../../engine/index.ts";
import { visible } from "../../problem/index.ts";
import { reasonText } from "../../ui/reason-text.ts";
import type { Run } from "../run.ts";

/**
 * `dospesos why TARGET…`: every reason for the targets and all that they need, as a build would find them.
 * Exit 0.
 */
export async function why(run: Run): Promise<number> {
  const { args, screen } = run;
  const session = run.open();
  const graph = await session.graph(false);
  const steps = selectSteps(session.state, graph, args.targets);
  const explanations = explain(session, graph, steps);
  const asked = new Set([...steps].map((step) => stepName(session.state, graph, step)));
  for (const one of explanations) {
    if (one.freshness === "fresh" && !asked.has(one.target)) {
      continue;
    }
    if (args.json) {
      screen.answer(
        JSON.stringify({
          type: "why",
          target: one.target,
          effect: one.effect,
          status: one.freshness,
          reasons: one.reasons,
        }),
      );
      continue;
    }
    screen.answer(
      `${visible(one.target)}: ${one.freshness === "unknown" ? "unknown until what it needs is made" : one.freshness}`,
    );
    for (const reason of one.reasons) {
      screen.answer(`  ${reasonText(reason)}`);
    }
    if (one.freshness === "fresh") {
      screen.answer("  nothing changed since it was made");
    }
  }
  return 0;
}

import { explain, selectSteps, type Explanation, type Freshness } from "../../engine/index.ts";
import type { Screen } from "../../ui/screen.ts";
import { command, locked } from "../command.ts";
import { jobs, verify as verifyOption } from "../options.ts";
import type { Verified } from "../verify.ts";

/**
 * `dospesos status`: one line a target on stdout; exit 0 only if all are fresh, else 1. Writes nothing. With
 * --verify also the account is asked; a target that is fresh by its marker but not there is reported as drift.
 */
export const status = command({
  options: { verify: verifyOption, jobs },
  exits: { 0: "all are fresh", 1: "something is stale, or the account differs (--verify)" },
  examples: ["status", "status edge-installer", "status --verify"],
  locks: false,
  run: async (context) => {
    const { names, emit, open, options } = context;
    let drifted: readonly Verified[] = [];
    if (options.verify) {
      const { verify } = await import("../verify.ts");
      // Terraform works in the modules' folders: not while a build does.
      const verified = await locked(context, () => verify(context, options.jobs), true);
      drifted = verified.filter(({ drift }) => drift.length > 0);
    }
    const session = open();
    const graph = await session.graph(false);
    const explanations = explain(session, graph, selectSteps(session.state, graph, names));
    reportStatus(emit, explanations, false);
    const count = (freshness: Freshness): number =>
      explanations.filter((one) => one.freshness === freshness).length;
    const stale = explanations.length - count("fresh");
    emit({ type: "status-summary", fresh: count("fresh"), stale: count("stale"), unknown: count("unknown") });
    return drifted.length === 0 && stale === 0 ? 0 : 1;
  },
});

/** Reports whether targets are up to date. */
export function reportStatus(emit: Screen, explanations: readonly Explanation[], dryRun: boolean): void {
  for (const { target, effect, freshness, reasons } of explanations) {
    emit({
      type: "status",
      target,
      ...(effect === undefined ? {} : { effect }),
      status: freshness,
      reasons,
      dryRun,
    });
  }
}

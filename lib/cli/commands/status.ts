import { explain, selectSteps, type Explanation, type Freshness } from "../../engine/index.ts";
import type { Screen } from "../../ui/screen.ts";
import { command, locked } from "../command.ts";
import { jobs, verify as verifyOption } from "../options.ts";
import type { Verified } from "../verify.ts";

/** Of more targets than this the fresh ones are counted, and not listed, unless --all. */
const SHOWN_WHOLE = 100;

/**
 * `dospesos status`: one line a target on stdout; exit 0 only if all are fresh, else 1. Writes nothing. With
 * --verify also the account is asked; a target that is fresh by its marker but not there is reported as drift.
 */
export const status = command({
  options: {
    verify: verifyOption,
    jobs,
    all: { type: "boolean", help: `fresh ones, too, also of more than ${SHOWN_WHOLE} targets` },
  },
  exits: { 0: "all are fresh", 1: "something is stale, or the account differs (--verify)" },
  examples: ["status", "status edge-installer", "status --all", "status --verify"],
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
    const isBrief = explanations.length > SHOWN_WHOLE && !options.all;
    const sorted = explanations.toSorted((a, b) => (a.target < b.target ? -1 : 1));
    reportStatus(emit, sorted, false, isBrief);
    const count = (freshness: Freshness): number =>
      explanations.filter((one) => one.freshness === freshness).length;
    const stale = explanations.length - count("fresh");
    emit({ type: "status-summary", fresh: count("fresh"), stale: count("stale"), unknown: count("unknown") });
    return drifted.length === 0 && stale === 0 ? 0 : 1;
  },
});

/** Reports whether targets are up to date. */
export function reportStatus(
  emit: Screen,
  explanations: readonly Explanation[],
  dryRun: boolean,
  isBrief = false,
): void {
  for (const { target, effect, freshness, reasons } of explanations) {
    emit({
      type: "status",
      target,
      ...(effect === undefined ? {} : { effect }),
      status: freshness,
      reasons,
      dryRun,
      ...(isBrief && freshness === "fresh" ? { brief: true } : {}),
    });
  }
}

import { withAccount } from "../../account/account.ts";
import { withDevices } from "../../account/data-plane.ts";
import type { Link } from "../../check/chain.ts";
import { didYouMean, ProblemError, shown } from "../../problem/index.ts";
import type { CoreSettings, Settings, ThingSettings } from "../../settings/index.ts";
import { command } from "../command.ts";
import { openProject } from "../project.ts";

/**
 * `dospesos check [CORE|THING…]`: the chain from each core's service to a message received, one line a link
 * on stdout, no further than the first that is broken. It changes nothing but sends one message per thing.
 */
export const check = command({
  options: {},
  exits: { 0: "no link is broken", 1: "a link is broken" },
  examples: ["check", "check core-1", "check thing-1 --json"],
  locks: true,
  run: async (context) => {
    const { root, emit, signal, names } = context;
    const { settings } = openProject(context);
    const { cores, things } = selected(settings, names);
    const [{ coreLinks }, { thingLinks }] = await Promise.all([
      import("../../check/core-links.ts"),
      import("../../check/thing-links.ts"),
    ]);
    return withDevices({ root, settings, log: () => {} }, () =>
      withAccount({ root, settings }, async (account) => {
        const checking = { root, account, signal };
        let passed = true;
        const report = (kind: "core" | "thing", name: string, links: readonly Link[]): boolean => {
          const broken = links.find(({ state }) => state === "broken")?.link ?? null;
          passed &&= broken === null;
          emit({ type: "check", kind, name, broken, links });
          return broken === null;
        };
        for (const core of cores) {
          const isWhole = report("core", core.name, await coreLinks(checking, core));
          for (const thing of things.filter((one) => one.core === core.name)) {
            signal.throwIfAborted();
            if (isWhole) {
              report("thing", thing.name, await thingLinks(checking, thing));
            } else {
              emit({ type: "check-skipped", kind: "thing", name: thing.name, core: core.name });
            }
          }
        }
        emit({ type: "check-summary", passed });
        return passed ? 0 : 1;
      }),
    );
  },
});

/** What was named: a thing needs its core's links, a core its own alone, and nothing named means all. */
function selected(
  settings: Settings,
  names: readonly string[],
): { readonly cores: readonly CoreSettings[]; readonly things: readonly ThingSettings[] } {
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

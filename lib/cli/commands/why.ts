import { explain, selectSteps, stepName } from "../../engine/index.ts";
import { command } from "../command.ts";

/** `dospesos why TARGET…`: every reason for the targets and all that they need, as a build would find them. */
export const why = command({
  needsName: true,
  options: {},
  exits: { 0: "explained" },
  examples: ["why edge/out/core-1.tar.gz"],
  locks: false,
  run: async ({ names, emit, open }) => {
    const session = open();
    const graph = await session.graph(false);
    const steps = selectSteps(session.state, graph, names);
    const named = new Set([...steps].map((step) => stepName(session.state, graph, step)));
    for (const { target, effect, freshness: status, reasons } of explain(session, graph, steps)) {
      if (status !== "fresh" || named.has(target)) {
        emit({ type: "why", target, ...(effect === undefined ? {} : { effect }), status, reasons });
      }
    }
    return 0;
  },
});

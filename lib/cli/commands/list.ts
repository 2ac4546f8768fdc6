import { targetsOf } from "../../engine/index.ts";
import { command } from "../command.ts";

/** `dospesos list`: groups, then targets, one a line on stdout. */
export const list = command({
  options: {},
  exits: { 0: "listed" },
  examples: ["list", "list --json"],
  locks: false,
  run: async ({ emit, open }) => {
    const session = open();
    const graph = await session.graph(false);
    for (const target of [...graph.groups].sort()) {
      emit({ type: "group", target });
    }
    const rows = Array.from(graph.kind, (_, step) =>
      targetsOf(session.state, graph, step).map((target) => ({ target, effect: graph.effectName[step]! })),
    ).flat();
    for (const { target, effect } of rows.sort((a, b) => (a.target < b.target ? -1 : 1))) {
      emit({ type: "target", target, ...(effect === "" ? {} : { effect }) });
    }
    return 0;
  },
});

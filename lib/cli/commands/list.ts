import { targetsOf } from "../../engine/index.ts";
import { visible } from "../../problem/index.ts";
import type { Run } from "../run.ts";

/** `dospesos list`: groups, then targets, one a line on stdout. */
export async function list({ args, screen, open }: Run): Promise<number> {
  const session = open();
  const graph = await session.graph(false);
  for (const name of [...graph.groups].sort()) {
    screen.answer(args.json ? JSON.stringify({ type: "group", target: name }) : `${visible(name)}  (group)`);
  }
  const rows = Array.from(graph.kind, (_, step) =>
    targetsOf(session.state, graph, step).map((target) => ({ target, effect: graph.effectName[step]! })),
  ).flat();
  for (const { target, effect } of rows.sort((a, b) => (a.target < b.target ? -1 : 1))) {
    screen.answer(
      args.json
        ? JSON.stringify({ type: "target", target, ...(effect === "" ? {} : { effect }) })
        : `${visible(target)}${effect === "" ? "" : `  (effect ${effect})`}`,
    );
  }
  return 0;
}

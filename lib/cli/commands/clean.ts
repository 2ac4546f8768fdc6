import { acquireLock, clean as cleanSteps, forgetCleaned, openStore, ProblemError, selectSteps } from "../../engine/index.ts";
import type { Run } from "../run.ts";

/** `dospesos clean`: removes built files; without targets the state in .dospesos, too. Keys, Terraform state and settings stay. */
export async function clean(run: Run): Promise<number> {
  const { args, root, screen } = run;
  const lock = await acquireLock(root, { command: "dospesos clean", wait: args.wait, onWait: (holder) => screen.emit({ type: "waiting", holder }) });
  try {
    const session = run.open();
    const store = openStore(session, screen.emit);
    // What is known of the graph is enough, should the Dofile or the settings be broken right now.
    const graph = await session.graph(false).catch((error: unknown) => {
      if (session.state.graph === undefined || !(error instanceof ProblemError)) throw error;
      return session.state.graph;
    });
    const steps = args.targets.length === 0 ? "all" as const : selectSteps(session.state, graph, args.targets);
    const removed = cleanSteps(session, graph, steps);
    if (steps !== "all") {
      forgetCleaned(session, graph, steps);
      store.fold();
    }
    for (const target of removed.sort()) screen.emit({ type: "removed", target });
    screen.say(`${removed.length} removed; keys, Terraform state and settings stay`);
    return 0;
  } finally {
    lock.release();
  }
}

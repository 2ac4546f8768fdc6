import {
  acquireLock,
  clean as cleanSteps,
  forgetCleaned,
  loadState,
  openStore,
  removeVanished,
  selectSteps,
  type Graph,
  type Session,
  type State,
} from "../../engine/index.ts";
import { ProblemError } from "../../problem/index.ts";
import { askGit } from "../host.ts";
import type { Run } from "../run.ts";

/**
 * `dospesos clean`: removes built files; without targets the state in .dospesos, too. Keys, Terraform state
 * and settings stay.
 */
export async function clean(run: Run): Promise<number> {
  const { args, root, screen, signal } = run;
  const lock = await acquireLock(root, {
    command: "dospesos clean",
    wait: args.wait,
    signal,
    onWait: (holder) => screen.emit({ type: "lock-wait", holder }),
  });
  try {
    const { session, state, graph } = await known(run);
    const steps = args.targets.length === 0 ? ("all" as const) : selectSteps(state, graph, args.targets);
    const removed = cleanSteps(root, state, graph, steps, askGit(root));
    if (steps !== "all" && session !== undefined) {
      const store = openStore(session, screen.emit);
      forgetCleaned(state, graph, steps);
      // The graph that is written down must be one whose leftovers are cleared away.
      if (session.replaced) {
        removeVanished(session, graph, screen.emit);
      }
      store.checkpoint();
    }
    for (const target of removed.sort()) {
      screen.emit({ type: "removed", target });
    }
    screen.say(`${removed.length} removed; keys, Terraform state and settings stay`);
    return 0;
  } finally {
    lock.release();
  }
}

/**
 * What there is to clean. Should the Dofile or the settings be broken right now, what the last build knew is
 * enough.
 */
async function known({
  root,
  open,
}: Run): Promise<{ session: Session | undefined; state: State; graph: Graph }> {
  const { state } = loadState(root);
  try {
    const session = open();
    return { session, state: session.state, graph: await session.graph(false) };
  } catch (error) {
    if (state.graph === undefined || !(error instanceof ProblemError)) {
      throw error;
    }
    return { session: undefined, state, graph: state.graph };
  }
}

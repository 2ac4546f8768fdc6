import {
  clean as cleanSteps,
  forgetCleaned,
  loadState,
  openStore,
  removeOrphans,
  selectSteps,
  type Graph,
  type Session,
  type State,
} from "../../engine/index.ts";
import { ProblemError } from "../../problem/index.ts";
import { command } from "../command.ts";
import { engineFolder } from "../../layout.ts";
import { askGit } from "../host.ts";
import { noWait } from "../options.ts";

/**
 * `dospesos clean`: removes built files; without targets the state in .dospesos, too. Keys, Terraform state
 * and settings stay.
 */
export const clean = command({
  options: { noWait },
  exits: { 0: "removed", 3: "another run works here (--no-wait)" },
  examples: ["clean", "clean edge-installer"],
  locks: true,
  run: async ({ names, root, emit, open }) => {
    const { session, state, graph } = await known(root, open);
    const steps = names.length === 0 ? ("all" as const) : selectSteps(state, graph, names);
    const { removed, kept } = cleanSteps(root, state, graph, steps, askGit(root), engineFolder());
    if (steps !== "all" && session !== undefined) {
      const store = openStore(session, emit);
      forgetCleaned(state, graph, steps);
      // The graph that is written down must be one whose leftovers are cleared away.
      if (session.replaced) {
        removeOrphans(session, graph, emit);
      }
      store.checkpoint();
    }
    for (const target of removed.toSorted()) {
      emit({ type: "removed", target });
    }
    for (const { name, what } of kept.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      emit({ type: "left", name, what });
    }
    emit({ type: "clean-summary", removed: removed.length });
    return 0;
  },
});

/**
 * What there is to clean. Should the Dofile or the settings be broken right now, what the last build knew is
 * enough.
 */
async function known(
  root: string,
  open: () => Session,
): Promise<{ session: Session | undefined; state: State; graph: Graph }> {
  const { state } = loadState(root, engineFolder());
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

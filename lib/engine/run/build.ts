import { rmSync } from "node:fs";
import type { BuildOptions, Summary } from "./options.ts";
import type { Emit } from "./events.ts";
import { fullPath, temporaryBeside } from "../disk/files.ts";
import { closure } from "../model.ts";
import { Scheduler } from "./scheduler.ts";
import { selectSteps } from "../graph/select.ts";
import { settle } from "../observe/settle.ts";
import type { Session } from "./session.ts";
import { Store } from "../state/store.ts";
import { removeOrphans } from "./orphans.ts";

/** Opens the state for writing and clears away what a crash left. The caller holds the lock. */
export function openStore(session: Session, emit: Emit): Store {
  const { loaded, root, state } = session;
  if (loaded.damaged) {
    emit({ type: "note", what: "the state in .dospesos was damaged: everything is built again" });
  }
  const store = new Store(root, session.host.variant, loaded);
  for (const node of loaded.unfinished) {
    rmSync(temporaryBeside(fullPath(root, state.nodeName[node]!)), { force: true });
  }
  if (loaded.renumbered) {
    state.dirty = true;
    store.checkpoint();
  }
  return store;
}

/**
 * Makes the targets and all that they need fresh. Throws ProblemError for what is wrong before any step runs,
 * and the system's error where the state cannot be written.
 */
export async function build(
  session: Session,
  store: Store,
  options: BuildOptions,
  emit: Emit,
  signal: AbortSignal,
): Promise<Summary> {
  let graph = await session.graph(true);
  while (session.replaced) {
    removeOrphans(session, graph, emit);
    session.replaced = false;
    // From here on a crash must find the graph that the records belong to.
    store.checkpoint();
    // What was edited by hand and stays is a source from now on.
    session.observer.lookAtGlobs("all");
    graph = await session.graph(true);
  }
  const steps = selectSteps(session.state, graph, options.targets);
  let run = new Scheduler(closure(graph, steps), { session, graph, options, emit, signal });
  run.decideAll();
  if (run.hasWork()) {
    const built = await session.recipes();
    if (built.graph !== graph) {
      graph = built.graph;
      const needed = closure(graph, selectSteps(session.state, graph, options.targets));
      run = new Scheduler(needed, { session, graph, options, emit, signal });
      run.decideAll();
    }
    run.reportFresh();
    await run.execute({
      session,
      store,
      graph,
      declarations: built.declarations,
      signal,
      emit,
      force: options.force,
    });
    session.observer.lookAtGlobs("changed");
  } else {
    run.reportFresh();
  }
  await settle(session.observer);
  return run.summary();
}

/**
 * Writes the state down, and waits until every later change of what was just built is sure to show in its
 * times.
 */
export async function finish(session: Session, store: Store): Promise<void> {
  store.checkpoint();
  await session.observer.quiet();
}

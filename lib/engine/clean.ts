import { lstatSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fullPath, removeFile } from "./files.ts";
import { Kind, primary, RecordFlag, StepFlag, type Graph, type NodeId, type StepId } from "./model.ts";
import { eachEdge, type State } from "./state.ts";
import { STATE_FOLDER } from "./store.ts";

/**
 * Removes the built files of some steps, or of all and the engine's state with them. Never removes what is precious, what lies
 * outside of the project, or a folder. Returns the names of what it removed.
 */
export function clean(root: string, state: State, graph: Graph | undefined, steps: ReadonlySet<StepId> | "all"): string[] {
  const removed: string[] = [];
  const remove = (node: NodeId): void => {
    const name = state.nodeName[node]!;
    if (state.nodeKind[node] !== Kind.file || isFolderOrMissing(fullPath(root, name))) return;
    if (removeFile(root, name)) removed.push(name);
  };
  const isPrecious = (step: StepId): boolean => (graph!.flags[step]! & StepFlag.precious) !== 0;
  if (graph !== undefined) {
    for (const [node, step] of graph.producer) if ((steps === "all" || steps.has(step)) && !isPrecious(step)) remove(node);
  }
  if (steps !== "all") return removed;
  // What rules made that are gone by now: markers of effects that left the project.
  for (const record of state.records.values()) {
    if ((record.flags & RecordFlag.precious) !== 0) continue;
    eachEdge(record.outputs, (node) => {
      if (graph?.producer.has(node) === false) remove(node);
    });
  }
  rmSync(join(root, STATE_FOLDER), { recursive: true, force: true });
  return removed;
}

/** The records of steps that were cleaned say nothing any more. */
export function forgetCleaned(state: State, graph: Graph, steps: ReadonlySet<StepId>): void {
  for (const step of steps) if ((graph.flags[step]! & StepFlag.precious) === 0) state.dropRecord(primary(graph, step));
}

function isFolderOrMissing(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined || stat.isDirectory();
}

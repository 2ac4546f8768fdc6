import { lstatSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fullPath, removeFile } from "../disk/files.ts";
import {
  Kind,
  makerOf,
  outputsOf,
  primary,
  RecordFlag,
  stepCount,
  StepFlag,
  type Graph,
  type NodeId,
  type StepId,
} from "../model.ts";
import type { GitStatus } from "./session.ts";
import { filesMade, type State } from "../state/state.ts";
import { eachEdge } from "../state/edges.ts";
import { STATE_FOLDER } from "../state/store.ts";

export interface Cleaned {
  readonly removed: readonly string[];
  /** What may have been built: the state is lost, and git does not say whether it ignores it. */
  readonly kept: readonly string[];
}

/**
 * Removes the built files of some steps, or of all and the engine's state with them. Never removes what is
 * precious, what no build made, what lies outside of the project, or a folder. Where the state is lost, what
 * git ignores passes for built; what git does not say anything of is kept.
 */
export function clean(
  root: string,
  state: State,
  graph: Graph,
  steps: ReadonlySet<StepId> | "all",
  standing: (name: string) => GitStatus,
): Cleaned {
  const [removed, kept]: [string[], string[]] = [[], []];
  const made = filesMade(state);
  const isLost = made.every((one) => one === 0);
  const wasMade = (node: NodeId): boolean => {
    const name = state.nodeName[node]!;
    const status = made[node] === 1 || !isLost ? undefined : standing(name);
    if (status === "unknown") {
      kept.push(name);
    }
    return made[node] === 1 || status === "ignored";
  };
  const remove = (node: NodeId): void => {
    const name = state.nodeName[node]!;
    if (state.nodeKind[node] !== Kind.file || isFolderOrMissing(fullPath(root, name)) || !wasMade(node)) {
      return;
    }
    if (removeFile(root, name)) {
      removed.push(name);
    }
  };
  const isPrecious = (step: StepId): boolean => (graph.flags[step]! & StepFlag.precious) !== 0;
  for (let step = 0; step < stepCount(graph); step++) {
    if ((steps === "all" || steps.has(step)) && !isPrecious(step)) {
      outputsOf(graph, step).forEach(remove);
    }
  }
  if (steps !== "all") {
    return { removed, kept };
  }
  // What rules made that are gone by now: markers of effects that left the project.
  for (const record of state.records.values()) {
    if ((record.flags & RecordFlag.precious) !== 0) {
      continue;
    }
    eachEdge(record.outputs, (node) => {
      if (makerOf(graph, node) === undefined) {
        remove(node);
      }
    });
  }
  rmSync(join(root, STATE_FOLDER), { recursive: true, force: true });
  return { removed, kept };
}

/** The records of steps that were cleaned say nothing any more. */
export function forgetCleaned(state: State, graph: Graph, steps: ReadonlySet<StepId>): void {
  for (const step of steps) {
    if ((graph.flags[step]! & StepFlag.precious) === 0) {
      state.dropRecord(primary(graph, step));
    }
  }
}

function isFolderOrMissing(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined || stat.isDirectory();
}

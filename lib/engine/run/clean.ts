import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../disk/digest.ts";
import { fullPath, look, removeFile } from "../disk/files.ts";
import {
  Digest,
  Kind,
  makerOf,
  outputsOf,
  primary,
  RecordFlag,
  RecordStatus,
  stepCount,
  StepFlag,
  type DigestId,
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
  /** What stays, and why. */
  readonly kept: readonly { readonly name: string; readonly what: string }[];
}

/**
 * Removes the built files of some steps, or of all and the engine's state with them. Never removes what is
 * precious, what no build made, what was edited since, what a link leads to, or a folder. Where the state is lost,
 * what git ignores passes for built; what git does not say anything of is kept.
 */
export function clean(
  root: string,
  state: State,
  graph: Graph,
  steps: ReadonlySet<StepId> | "all",
  standing: (name: string) => GitStatus,
  variant = "",
): Cleaned {
  const removed: string[] = [];
  const kept: { name: string; what: string }[] = [];
  const made = filesMade(state);
  const digests = digestsMade(state);
  const isLost = made.every((one) => one === 0);
  const wasMade = (node: NodeId): boolean => {
    const name = state.nodeName[node]!;
    const status = made[node] === 1 || !isLost ? undefined : standing(name);
    if (status === "unknown") {
      kept.push({ name, what: "git does not say whether somebody wrote it (see git status)" });
    }
    return made[node] === 1 || status === "ignored";
  };
  const remove = (node: NodeId): void => {
    const name = state.nodeName[node]!;
    if (state.nodeKind[node] !== Kind.file || isFolderOrMissing(fullPath(root, name)) || !wasMade(node)) {
      return;
    }
    if (isEdited(root, state, node, digests.get(node))) {
      kept.push({ name, what: "it was edited by hand" });
    } else if (removeFile(root, name)) {
      removed.push(name);
    } else {
      kept.push({ name, what: "a link leads its folder elsewhere" });
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
  removeState(root, variant);
  return { removed, kept };
}

/** Removes a state; other ones of the project stay. */
function removeState(root: string, variant: string): void {
  const folder = join(root, STATE_FOLDER, variant);
  if (variant !== "" || !existsSync(join(folder, "env"))) {
    rmSync(folder, { recursive: true, force: true });
    return;
  }
  for (const name of readdirSync(folder).filter((one) => one !== "env")) {
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** The records of steps that were cleaned say nothing any more. */
export function forgetCleaned(state: State, graph: Graph, steps: ReadonlySet<StepId>): void {
  for (const step of steps) {
    if ((graph.flags[step]! & StepFlag.precious) === 0) {
      state.dropRecord(primary(graph, step));
    }
  }
}

/** What each file was when it was made; not known of steps that were interrupted. */
function digestsMade(state: State): Map<NodeId, DigestId> {
  const digests = new Map<NodeId, DigestId>();
  for (const { status, outputs } of state.records.values()) {
    if (status !== RecordStatus.started) {
      eachEdge(outputs, (node, digest) => void digests.set(node, digest));
    }
  }
  return digests;
}

function isEdited(root: string, state: State, node: NodeId, made: DigestId | undefined): boolean {
  const path = fullPath(root, state.nodeName[node]!);
  const stat = look(path, false);
  if (
    made === undefined ||
    made <= Digest.special ||
    stat === undefined ||
    stat === "loop" ||
    !stat.isFile()
  ) {
    return false;
  }
  const isSeen = state.nodeDigest[node] === made && state.stamps.vouches(node, stat);
  return !isSeen && digestOf(readFileSync(path)) !== state.digests[made];
}

function isFolderOrMissing(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined || stat.isDirectory();
}

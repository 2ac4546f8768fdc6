import {
  closure,
  defaultSteps,
  Digest,
  makerOf,
  primary,
  RecordStatus,
  StepFlag,
  type DigestId,
  type Edges,
  type Graph,
  type NodeId,
  type StepId,
} from "./model.ts";
import type { State } from "./state/state.ts";
import { eachEdge } from "./state/edges.ts";

/** What the world looks like now. `state.nodeDigest` is one such view; the files on disk are another. */
export interface World {
  current: (node: NodeId) => DigestId;
  /** Permission bits of a file that exists. */
  mode: (node: NodeId) => number;
}

/** One thing that makes a step stale. */
export type Finding =
  | { readonly why: "new" | "interrupted" | "failed" | "recipe" }
  | { readonly why: "needs" }
  | {
      readonly why: "output" | "prerequisite";
      readonly node: NodeId;
      readonly from: DigestId;
      readonly to: DigestId;
    }
  | { readonly why: "mode"; readonly node: NodeId; readonly from: number; readonly to: number };

/**
 * The one decision of the engine: is a step fresh, if the steps that it needs are? Calls `found` for every
 * reason why it is not, until that returns false; a build stops at the first one, an explanation asks for
 * all.
 */
export function isFresh(
  state: State,
  graph: Graph,
  step: StepId,
  world: World,
  found: (finding: Finding) => boolean,
): boolean {
  const record = state.records.get(primary(graph, step));
  // A target that only moved here from another step is on record as made, but not by this one.
  if (record === undefined || record.definition === Digest.unknown) {
    return (found({ why: "new" }), false);
  }
  let fresh = true;
  const stale = (finding: Finding): boolean => {
    fresh = false;
    return found(finding);
  };
  if (record.status === RecordStatus.started && !stale({ why: "interrupted" })) {
    return false;
  }
  if (record.status === RecordStatus.failed && !stale({ why: "failed" })) {
    return false;
  }
  if (record.definition !== graph.definition[step] && !stale({ why: "recipe" })) {
    return false;
  }
  if (record.needsDigest !== graph.needsDigest[step] && !stale({ why: "needs" })) {
    return false;
  }

  for (let index = graph.outStart[step]!; index < graph.outStart[step + 1]!; index++) {
    const node = graph.out[index]!;
    const from = outputDigest(record.outputs, node);
    const to = world.current(node);
    const good = to === from;
    // What a run that was interrupted left there, and what this rule has not made yet, nobody changed: why it is made
    // is reported above.
    const isExplained = !fresh && (from === Digest.unknown || record.status === RecordStatus.started);
    if (!good && !isExplained && !stale({ why: "output", node, from, to })) {
      return false;
    }
    const mode = graph.outMode[index]!;
    if (
      good &&
      mode !== 0 &&
      world.mode(node) !== mode &&
      !stale({ why: "mode", node, from: mode, to: world.mode(node) })
    ) {
      return false;
    }
  }
  eachEdge(record.edges, (node, from) => {
    const to = world.current(node);
    return to === from || stale({ why: "prerequisite", node, from, to });
  });
  return fresh;
}

/**
 * Freshness of all steps at once, judged by the digests in memory alone: 1 where a step and all steps below
 * it are fresh, 2 where it is not and a plain build does not make it. It is what the snapshot keeps for the
 * nothing-to-do path.
 */
export function freshInMemory(state: State, graph: Graph): Uint8Array {
  const world: World = {
    current: (node) => state.nodeDigest[node]!,
    mode: (node) => state.stamps.mode(node),
  };
  const fresh = new Uint8Array(graph.kind.length);
  // What the graph was made from may have changed and not be made to a graph again: the Dofile is broken
  // right now.
  if (!eachEdge(graph.edges, (node, digest) => state.nodeDigest[node] === digest)) {
    return fresh;
  }
  for (let step = 0; step < fresh.length; step++) {
    let good = true;
    for (let index = graph.needStart[step]!; good && index < graph.needStart[step + 1]!; index++) {
      const below = makerOf(graph, graph.need[index]!);
      good = below === undefined || fresh[below] === 1;
    }
    if (good && isFresh(state, graph, step, world, () => false)) {
      fresh[step] = 1;
    }
  }
  const isOnDemand = (step: StepId): boolean => (graph.flags[step]! & StepFlag.onDemand) !== 0;
  if (fresh.some((one, step) => one === 0 && isOnDemand(step))) {
    const needed = closure(graph, defaultSteps(graph));
    fresh.forEach((one, step) => (fresh[step] = one === 0 && needed[step] === 0 ? 2 : one));
  }
  return fresh;
}

function outputDigest(outputs: Edges, node: NodeId): DigestId {
  let digest: DigestId = Digest.unknown;
  eachEdge(outputs, (made, its) => made !== node || ((digest = its), false));
  return digest;
}

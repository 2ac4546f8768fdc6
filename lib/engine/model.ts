/**
 * The data model of the engine, on one page. Everything else in lib/engine is a consequence of it.
 *
 * A *node* is something that a step may depend on or make: a file, a settings key, a fact, … Nodes and
 * digests are interned: each has a dense id, and the columns below are indexed by it. A *step* is one rule,
 * fact or effect of the graph. A *record* is what was true when a step last ran; it belongs to the step's
 * first output, so it outlives any change of the graph. A step is fresh when its record still describes the
 * world (see decide.ts).
 */
declare const brand: unique symbol;
export type NodeId = number & { readonly [brand]?: "node" };
export type DigestId = number & { readonly [brand]?: "digest" };
export type StepId = number & { readonly [brand]?: "step" };

/** The kinds of nodes. The numbers are part of the state format. */
export const Kind = { file: 1, setting: 2, sectionNames: 3, environment: 4, glob: 5, fact: 6 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Digests with a meaning of their own; all others are 128 bits of a SHA-256. */
export const Digest = { unknown: 0, missing: 1, directory: 2, special: 3 } as const;
export const fixedDigests = ["", "missing", "directory", "special"].map((name) =>
  Array.from(name.padEnd(16), (char) => char.charCodeAt(0).toString(16)).join(""),
);

export const StepKind = { rule: 1, fact: 2, effect: 3 } as const;
export type StepKind = (typeof StepKind)[keyof typeof StepKind];

/**
 * No `clean` and no vanished rule removes a precious step's outputs (keys): its recipe keeps what it finds. A step on
 * demand is made where it is named or needed, and not by a plain build.
 */
export const StepFlag = { precious: 1, onDemand: 2 } as const;

/** How the last run of a step ended. A start without an end is what a crash or an interrupt leaves. */
export const RecordStatus = { started: 1, done: 2, failed: 3 } as const;
export type RecordStatus = (typeof RecordStatus)[keyof typeof RecordStatus];

/** `told`: that the step left the project, and what stays of it, has been said. */
export const RecordFlag = { precious: 1, effect: 2, announced: 4 } as const;

/** What a step was made from and what it made, when it last ran. */
export interface StepRecord {
  readonly status: RecordStatus;
  /** The digest of the rule itself: its code and its targets. */
  readonly definition: DigestId;
  /** The digest of the list of its declared prerequisites, which may change where no rule does. */
  readonly needsDigest: DigestId;
  /** RecordFlag bits: what the step was, also when the graph no longer has it. */
  readonly flags: number;
  /** What it made: pairs of node and digest. */
  readonly outputs: Edges;
  /** What it was made from: every declared prerequisite and everything that the recipe read. */
  readonly edges: Edges;
}

/**
 * Pairs of a node and the digest that it had, as two columns of which the part from start to end is meant.
 */
export interface Edges {
  readonly nodes: ArrayLike<NodeId>;
  readonly digests: ArrayLike<DigestId>;
  readonly start: number;
  readonly end: number;
}

/** The graph as columns, in topological order: a step comes after all steps that it needs. */
export interface Graph {
  readonly kind: Uint8Array;
  readonly flags: Uint8Array;
  /** What a person calls an effect ("core core-1"); empty for the others. */
  readonly effectName: readonly string[];
  readonly definition: Uint32Array;
  /** The digest of the list of each step's declared prerequisites. */
  readonly needsDigest: Uint32Array;
  /** Outputs of step s: out[outStart[s]] up to out[outStart[s + 1]]; the first one names the step. */
  readonly outStart: Uint32Array;
  readonly out: Uint32Array;
  /** File mode that the rule asked for, beside `out`; 0 where it asked for none. */
  readonly outMode: Uint16Array;
  /** Declared prerequisites, in the same way. */
  readonly needStart: Uint32Array;
  readonly need: Uint32Array;
  readonly groups: readonly string[];
  readonly groupStart: Uint32Array;
  readonly groupMember: Uint32Array;
  /**
   * What the graph itself was made from: the Dofile and its imports, names and keys that it read,
   * environment, globs.
   */
  readonly edges: Edges;
  /** The step that makes a node, plus one; 0 or nothing where no step does. See makerOf. */
  readonly maker: Uint32Array;
}

export const noEdges: Edges = { nodes: [], digests: [], start: 0, end: 0 };

export function stepCount(graph: Graph): number {
  return graph.kind.length;
}

/** What a plain build makes: every step but those on demand, and what they need. */
export function defaultSteps(graph: Graph): StepId[] {
  return Array.from({ length: stepCount(graph) }, (_, step) => step).filter(
    (step) => (graph.flags[step]! & StepFlag.onDemand) === 0,
  );
}

/** The node that names a step. */
export function primary(graph: Graph, step: StepId): NodeId {
  return graph.out[graph.outStart[step]!]!;
}

export function outputsOf(graph: Graph, step: StepId): Uint32Array {
  return graph.out.subarray(graph.outStart[step], graph.outStart[step + 1]);
}

export function needsOf(graph: Graph, step: StepId): Uint32Array {
  return graph.need.subarray(graph.needStart[step], graph.needStart[step + 1]);
}

/** The step that makes a node, if one does. */
export function makerOf(graph: Graph, node: NodeId): StepId | undefined {
  const maker = graph.maker[node];
  return maker === undefined || maker === 0 ? undefined : maker - 1;
}

/** The column `maker` of a graph. */
export function makersOf({ outStart, out }: Pick<Graph, "outStart" | "out">): Uint32Array {
  const maker = new Uint32Array(out.reduce((last, node) => Math.max(last, node), 0) + 1);
  for (let step = 0; step + 1 < outStart.length; step++) {
    for (let at = outStart[step]!; at < outStart[step + 1]!; at++) {
      maker[out[at]!] = step + 1;
    }
  }
  return maker;
}

/** The steps that make what a step needs; one stands there for each need that it makes. */
export function stepsBelow(graph: Graph, step: StepId): StepId[] {
  const below: StepId[] = [];
  for (let at = graph.needStart[step]!; at < graph.needStart[step + 1]!; at++) {
    const maker = makerOf(graph, graph.need[at]!);
    if (maker !== undefined) {
      below.push(maker);
    }
  }
  return below;
}

/** The steps and everything that they need, directly or not, as ones. */
export function closure(graph: Graph, steps: Iterable<StepId>): Uint8Array {
  const needed = new Uint8Array(stepCount(graph));
  const waiting = [...steps];
  for (const step of waiting) {
    needed[step] = 1;
  }
  for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
    for (const below of stepsBelow(graph, step)) {
      if (needed[below] === 1) {
        continue;
      }
      needed[below] = 1;
      waiting.push(below);
    }
  }
  return needed;
}

/** What the record of a step says of it. */
export function recordedOf(
  graph: Graph,
  step: StepId,
): Pick<StepRecord, "definition" | "needsDigest" | "flags"> {
  const precious = (graph.flags[step]! & StepFlag.precious) !== 0 ? RecordFlag.precious : 0;
  const effect = graph.kind[step] === StepKind.effect ? RecordFlag.effect : 0;
  return {
    definition: graph.definition[step]!,
    needsDigest: graph.needsDigest[step]!,
    flags: precious | effect,
  };
}

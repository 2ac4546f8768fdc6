import { isFresh, type Finding } from "../decide.ts";
import type { Reason } from "./events.ts";
import {
  Digest,
  Kind,
  needsOf,
  outputsOf,
  primary,
  StepKind,
  type DigestId,
  type Graph,
  type NodeId,
  type StepId,
} from "../model.ts";
import type { Observer } from "../observe/observe.ts";
import { eachEdge } from "../state/edges.ts";
import type { State } from "../state/state.ts";

/**
 * All reasons why a step is stale, in words: the same decision that a build makes, asked to go on. Empty if
 * it is fresh. What differs in a prerequisite that is `open`, still to be made itself, is no reason yet: it
 * may come out as it was.
 */
export function reasonsFor(
  state: State,
  graph: Graph,
  step: StepId,
  observer: Observer,
  open: (node: NodeId) => boolean = () => false,
): Reason[] {
  const reasons: Reason[] = [];
  let needs = false;
  isFresh(state, graph, step, observer, (finding) => {
    if (finding.why === "needs") {
      needs = true;
      return true;
    }
    const reason =
      finding.why === "prerequisite" && open(finding.node) ? undefined : reasonOf(state, finding);
    if (reason !== undefined) {
      reasons.push(reason);
    }
    return true;
  });
  // Another list of prerequisites has its cause, which mostly is a reason by itself: a key that named one of them.
  if (needs && !reasons.some(({ kind }) => CAUSES.has(kind))) {
    reasons.push({ kind: "needs", added: addedNeeds(state, graph, step) });
  }
  return reasons;
}

/** What changes a list of prerequisites. */
const CAUSES: ReadonlySet<Reason["kind"]> = new Set(["recipe", "setting", "names", "environment", "glob"]);

function addedNeeds(state: State, graph: Graph, step: StepId): string[] {
  const had = new Set<NodeId>();
  eachEdge(state.records.get(primary(graph, step))!.edges, (node) => void had.add(node));
  return Array.from(needsOf(graph, step))
    .filter((node) => !had.has(node))
    .map((node) => state.nodeName[node]!);
}

function reasonOf(state: State, finding: Exclude<Finding, { why: "needs" }>): Reason | undefined {
  if (finding.why === "mode") {
    return {
      kind: "mode",
      path: state.nodeName[finding.node]!,
      from: finding.from.toString(8),
      to: finding.to.toString(8),
    };
  }
  if (finding.why !== "output" && finding.why !== "prerequisite") {
    return { kind: finding.why };
  }
  const { node, from, to } = finding;
  const name = state.nodeName[node]!;
  if (finding.why === "output" && state.nodeKind[node] === Kind.file) {
    return {
      kind: "target",
      path: name,
      change: targetChange(to),
    };
  }
  switch (state.nodeKind[node]!) {
    case Kind.file:
      return {
        kind: "file",
        path: name,
        change: fileChange(from, to),
      };
    case Kind.setting:
      return { kind: "setting", key: name, from: valueOf(state, from), to: valueOf(state, to) };
    case Kind.sectionNames:
      return { kind: "names", key: name, from: valueOf(state, from), to: valueOf(state, to) };
    case Kind.environment:
      return { kind: "environment", key: name };
    case Kind.glob:
      return globReason(state, name, from, to);
    case Kind.fact:
      return { kind: "fact", name, from: valueOf(state, from), to: valueOf(state, to) };
  }
}

function globReason(state: State, pattern: string, from: DigestId, to: DigestId): Reason {
  const [before, now] = [valueOf(state, from), valueOf(state, to)].map(
    (value) => new Set((value ?? []) as string[]),
  ) as [Set<string>, Set<string>];
  return {
    kind: "glob",
    pattern,
    added: [...now].filter((name) => !before.has(name)),
    removed: [...before].filter((name) => !now.has(name)),
  };
}

function valueOf(state: State, digest: DigestId): unknown {
  const text = state.texts.get(digest);
  return text === undefined ? null : (JSON.parse(text) as unknown);
}

/** How a step is called: its first target, or the name of a fact or an effect. */
export function stepName(state: State, graph: Graph, step: StepId): string {
  return state.nodeName[primary(graph, step)]!;
}

export function isEffect(graph: Graph, step: StepId): boolean {
  return graph.kind[step] === StepKind.effect;
}

/** Names of the outputs of a step, without its fact. */
export function targetsOf(state: State, graph: Graph, step: StepId): string[] {
  return Array.from(outputsOf(graph, step))
    .filter((node) => state.nodeKind[node] === Kind.file)
    .map((node) => state.nodeName[node]!);
}

function targetChange(to: DigestId): "missing" | "replaced" | "edited" {
  if (to === Digest.missing) {
    return "missing";
  }
  return to <= Digest.special ? "replaced" : "edited";
}

function fileChange(from: DigestId, to: DigestId): "appeared" | "vanished" | "changed" {
  if (from === Digest.missing) {
    return "appeared";
  }
  return to === Digest.missing ? "vanished" : "changed";
}

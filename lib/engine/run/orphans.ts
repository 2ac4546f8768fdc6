import type { Emit } from "./events.ts";
import { removeFile } from "../disk/files.ts";
import {
  Digest,
  Kind,
  makerOf,
  noEdges,
  primary,
  RecordFlag,
  recordedOf,
  RecordStatus,
  stepCount,
  type DigestId,
  type Graph,
  type NodeId,
  type StepId,
  type StepRecord,
} from "../model.ts";
import type { Session } from "./session.ts";
import type { State } from "../state/state.ts";
import { eachEdge, edgesOf } from "../state/edges.ts";

/** What becomes of a file that a rule made which is there no longer. */
interface Orphan {
  readonly node: NodeId;
  readonly file: string;
  /** Undefined: it is removed, if no link leads its folder elsewhere. Else what a person is told of it. */
  readonly stays?: string;
}

/** What a build would remove since no rule makes it any more, and what would stay, for a dry run. */
export function lookForOrphans(session: Session, graph: Graph, emit: Emit): void {
  for (const { file, stays } of orphansOf(session, graph)) {
    emit(stays === undefined ? { type: "would-remove", target: file } : { type: "note", what: stays });
  }
}

/**
 * After the graph changed: removes what rules made that are there no longer. What was edited by hand stays,
 * and so do keys, the markers of effects (what they applied still exists), what git tracks, and files that
 * the new graph needs as sources.
 */
export function removeOrphans(session: Session, graph: Graph, emit: Emit): void {
  const { state, observer, root } = session;
  const steps = new Set(
    Array.from({ length: stepCount(graph) }, (_, step) => primary(graph, step as StepId)),
  );
  transferOwnership(state, graph);
  for (const { node, file, stays } of orphansOf(session, graph)) {
    if (stays !== undefined) {
      emit({ type: "note", what: stays });
    } else if (removeFile(root, file)) {
      emit({ type: "removed", target: file });
    } else {
      emit({
        type: "note",
        what: `${file} is no longer made by a rule; it stays, since a link leads its folder elsewhere`,
      });
    }
    observer.forget(node);
  }
  for (const [name, record] of [...state.records]) {
    if (steps.has(name)) {
      continue;
    }
    // What an effect applied still exists as long as its marker does, and counts when a rule declares it again.
    const isEffect = (record.flags & RecordFlag.effect) !== 0;
    if (isEffect && observer.current(name) !== Digest.missing) {
      state.setRecord(name, { ...record, flags: record.flags | RecordFlag.announced });
    } else {
      state.dropRecord(name);
    }
  }
}

function orphansOf(session: Session, graph: Graph): Orphan[] {
  const { state } = session;
  const sources = new Set(Array.from(graph.need));
  const orphans: Orphan[] = [];
  for (const record of state.records.values()) {
    eachEdge(record.outputs, (node, digest) => {
      if (makerOf(graph, node) === undefined && state.nodeKind[node] === Kind.file && !sources.has(node)) {
        const orphan = orphanOf(session, record, node, digest);
        if (orphan !== undefined) {
          orphans.push(orphan);
        }
      }
    });
  }
  return orphans;
}

/** Undefined where the file is gone, or was spoken of before. */
function orphanOf(
  { state, observer, root, host }: Session,
  record: StepRecord,
  node: NodeId,
  digest: number,
): Orphan | undefined {
  const file = state.nodeName[node]!;
  observer.forget(node);
  const current = observer.current(node);
  if (current === Digest.missing || (record.flags & RecordFlag.announced) !== 0) {
    return undefined;
  }
  const staying = (what: string): Orphan => ({ node, file, stays: what });
  if ((record.flags & RecordFlag.effect) !== 0) {
    return staying(
      `${factOf(state, record)} is no longer in the project, but what it applied still exists; its marker ${file} stays`,
    );
  }
  if ((record.flags & RecordFlag.precious) !== 0) {
    return staying(`${file} is no longer needed; it stays, since it cannot be made again`);
  }
  if (current !== digest) {
    return staying(`${file} is no longer made by a rule; it stays, since it was edited by hand`);
  }
  return host.gitStatus(root, file) === "tracked"
    ? staying(`${file} is no longer made by a rule; it stays, since git tracks it`)
    : { node, file };
}

/** The name of an effect. */
function factOf(state: State, { outputs }: StepRecord): string {
  let name = "";
  eachEdge(outputs, (node) => {
    if (state.nodeKind[node] === Kind.fact) {
      name = state.nodeName[node]!;
    }
  });
  return name;
}

/**
 * A target that another step makes now stays known as made, also if that step does not run for long: else it
 * would be nobody's, and pass for a source, when that step goes.
 */
function transferOwnership(state: State, graph: Graph): void {
  for (const [name, record] of [...state.records]) {
    eachEdge(record.outputs, (node, digest) => {
      const step = makerOf(graph, node);
      if (step === undefined || state.nodeKind[node] !== Kind.file || primary(graph, step) === name) {
        return;
      }
      const owner = primary(graph, step);
      const its = state.records.get(owner) ?? {
        status: RecordStatus.done,
        ...recordedOf(graph, step),
        definition: Digest.unknown,
        outputs: noEdges,
        edges: noEdges,
      };
      const outputs = new Map<NodeId, DigestId>([[node, digest]]);
      eachEdge(its.outputs, (one, had) => {
        outputs.set(one, had);
      });
      state.setRecord(owner, { ...its, outputs: edgesOf(outputs) });
    });
  }
}

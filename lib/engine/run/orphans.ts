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

/**
 * After the graph changed: removes what rules made that are there no longer. What was edited by hand stays,
 * and so do keys, the markers of effects (what they applied still exists), what git tracks, and files that
 * the new graph needs as sources.
 */
export function removeOrphans(session: Session, graph: Graph, emit: Emit): void {
  const { state, observer } = session;
  const sources = new Set(Array.from(graph.need));
  const steps = new Set(
    Array.from({ length: stepCount(graph) }, (_, step) => primary(graph, step as StepId)),
  );
  transferOwnership(state, graph);
  for (const [name, record] of [...state.records]) {
    eachEdge(record.outputs, (node, digest) => {
      if (makerOf(graph, node) === undefined && state.nodeKind[node] === Kind.file && !sources.has(node)) {
        keepOrRemove(session, record, node, digest, emit);
      }
    });
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

function keepOrRemove(
  { state, observer, root, host }: Session,
  record: StepRecord,
  node: NodeId,
  digest: number,
  emit: Emit,
): void {
  const file = state.nodeName[node]!;
  observer.forget(node);
  const current = observer.current(node);
  if (current === Digest.missing || (record.flags & RecordFlag.announced) !== 0) {
    return;
  }
  const note = (what: string): void => emit({ type: "note", what: `${file} ${what}` });
  let effect = "";
  eachEdge(record.outputs, (one) => {
    if (state.nodeKind[one] === Kind.fact) {
      effect = state.nodeName[one]!;
    }
  });
  if ((record.flags & RecordFlag.effect) !== 0) {
    emit({
      type: "note",
      what: `${effect} is no longer in the project, but what it applied still exists; its marker ${file} stays`,
    });
  } else if ((record.flags & RecordFlag.precious) !== 0) {
    note("is no longer needed; it stays, since it cannot be made again");
  } else if (current !== digest) {
    note("is no longer made by a rule; it stays, since it was edited by hand");
  } else if (host.gitStatus(root, file) === "tracked") {
    note("is no longer made by a rule; it stays, since git tracks it");
  } else if (removeFile(root, file)) {
    emit({ type: "removed", target: file });
  } else {
    note("is no longer made by a rule; it stays, since a link leads its folder elsewhere");
  }
  observer.forget(node);
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

import type { Emit } from "./events.ts";
import { removeFile } from "./files.ts";
import { Digest, Kind, RecordStatus, StepFlag, primary, stepCount, type Graph, type NodeId, type StepId } from "./model.ts";
import type { Session } from "./session.ts";
import { eachEdge } from "./state.ts";

/**
 * After the graph changed: removes what rules made that are there no longer. What was edited by hand stays, and so do keys, the
 * markers of effects (what they applied still exists) and files that the new graph needs as sources.
 */
export function removeVanished(session: Session, old: Graph | undefined, graph: Graph, emit: Emit): void {
  const { state, observer, root } = session;
  const sources = new Set(Array.from(graph.need));
  const steps = new Set(Array.from({ length: stepCount(graph) }, (_, step) => primary(graph, step as StepId)));
  for (const [name, record] of [...state.records]) {
    const before = old?.producer.get(name);
    // The record tells an effect by its fact beside its marker, also long after the graph that had it.
    let fact: string | undefined;
    eachEdge(record.outputs, (node) => {
      if (state.nodeKind[node] === Kind.fact) fact = state.nodeName[node]!;
    });
    const effect = fact !== undefined && state.nodeKind[name] === Kind.file;
    const precious = before !== undefined && (old!.flags[before]! & StepFlag.precious) !== 0;
    eachEdge(record.outputs, (node, digest) => {
      if (state.nodeKind[node] !== Kind.file || graph.producer.has(node) || sources.has(node)) return;
      const file = state.nodeName[node]!;
      observer.forget(node);
      const current = observer.current(node);
      if (current === Digest.missing) return;
      if (effect && before !== undefined) emit({ type: "note", what: `${fact} is no longer in the project, but what it applied still exists; its marker ${file} stays` });
      if (effect) return;
      if (precious) emit({ type: "note", what: `${file} is no longer needed; it stays, since it cannot be made again` });
      else if (current !== digest && record.status !== RecordStatus.started) emit({ type: "note", what: `${file} is no longer made by a rule; it stays, since it was edited by hand` });
      else remove(node, file);
    });
    // The marker of an effect stays on record, so that clean finds it; a precious one no clean removes.
    if (!steps.has(name) && !(effect && !precious)) state.dropRecord(name);
  }

  function remove(node: NodeId, file: string): void {
    if (removeFile(root, file)) emit({ type: "removed", target: file });
    observer.forget(node);
  }
}

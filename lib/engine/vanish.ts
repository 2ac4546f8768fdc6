import type { Emit } from "./events.ts";
import { removeFile } from "./files.ts";
import { Digest, Kind, RecordStatus, StepFlag, StepKind, primary, stepCount, type Graph, type NodeId, type StepId } from "./model.ts";
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
    const effect = before !== undefined && old!.kind[before] === StepKind.effect;
    const precious = before !== undefined && (old!.flags[before]! & StepFlag.precious) !== 0;
    eachEdge(record.outputs, (node, digest) => {
      if (state.nodeKind[node] !== Kind.file || graph.producer.has(node) || sources.has(node)) return;
      const file = state.nodeName[node]!;
      observer.forget(node);
      const current = observer.current(node);
      if (current === Digest.missing) return;
      if (effect) emit({ type: "note", what: `${old!.label[before]} is no longer in the project, but what it applied still exists; its marker ${file} stays` });
      else if (precious) emit({ type: "note", what: `${file} is no longer needed; it stays, since it cannot be made again` });
      else if (current !== digest && record.status !== RecordStatus.started) emit({ type: "note", what: `${file} is no longer made by a rule; it stays, since it was edited by hand` });
      else remove(node, file);
    });
    if (!steps.has(name) && !effect) state.dropRecord(name);
  }

  function remove(node: NodeId, file: string): void {
    removeFile(root, file);
    observer.forget(node);
    emit({ type: "removed", target: file });
  }
}

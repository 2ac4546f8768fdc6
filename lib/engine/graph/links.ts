import { realName } from "../disk/files.ts";
import { Kind, type NodeId } from "../model.ts";
import { shown, type Problem } from "../../problem/index.ts";
import type { State } from "../state/state.ts";
import type { Draft, GraphSource } from "./draft.ts";
import { problemAt } from "./targets.ts";

/**
 * What is named by way of a link to a folder, and is a target by its real name: made, needed and watched under two
 * names it would be one build behind. One problem for each such name.
 */
export function checkLinks(
  state: State,
  root: string,
  source: GraphSource,
  drafts: Iterable<Draft>,
  producer: ReadonlyMap<NodeId, Draft>,
): Problem[] {
  const problems = new Map<NodeId, Problem>();
  const folders = new Map<string, string>();
  const realOf = (node: NodeId): string => realName(root, state.nodeName[node]!, folders);
  /** Targets whose folder is a link, by their real names. */
  const linked = new Map<string, NodeId>();
  for (const node of producer.keys()) {
    const real = state.nodeKind[node] === Kind.file ? realOf(node) : state.nodeName[node]!;
    if (real !== state.nodeName[node]) {
      linked.set(real, node);
    }
  }
  for (const { declaration, outputs, needs } of drafts) {
    for (const node of [...outputs, ...needs]) {
      if (state.nodeKind[node] !== Kind.file || problems.has(node)) {
        continue;
      }
      const [name, real] = [state.nodeName[node]!, realOf(node)];
      const target = linked.get(real) ?? (real === name ? undefined : state.find(Kind.file, real));
      if (target === undefined || target === node || !producer.has(target)) {
        continue;
      }
      const what = `${shown(name)} and the target ${shown(state.nodeName[target]!)} are one file: a link leads there`;
      problems.set(node, {
        ...problemAt(source, declaration, "DP246", what, `name it ${shown(real)} in both places`),
        why: "under two names, what is made and what is needed would not be the same",
      });
    }
  }
  return [...problems.values()];
}

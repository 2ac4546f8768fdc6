import { noEdges, type DigestId, type Edges, type NodeId } from "../model.ts";

/** Edges from a map of nodes to digests. */
export function edgesOf(pairs: ReadonlyMap<NodeId, DigestId>): Edges {
  if (pairs.size === 0) {
    return noEdges;
  }
  return { nodes: [...pairs.keys()], digests: [...pairs.values()], start: 0, end: pairs.size };
}

/** Calls back with every pair; stops when told so by `false`. */
export function eachEdge(edges: Edges, visit: (node: NodeId, digest: DigestId) => unknown): boolean {
  for (let index = edges.start; index < edges.end; index++) {
    if (visit(edges.nodes[index]!, edges.digests[index]!) === false) {
      return false;
    }
  }
  return true;
}

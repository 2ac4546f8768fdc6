import { Digest, Kind, makersOf, type DigestId, type Edges, type Graph, type NodeId } from "../model.ts";
import { State } from "./state.ts";
import { eachEdge } from "./edges.ts";

/**
 * Every change of a file leaves a digest behind that nothing refers to any more: they may be as many as what
 * is in use.
 */
export function isWasteful(state: State): boolean {
  return state.digests.length > 2 * (state.nodeName.length + state.records.size) + 1000;
}

/** The same knowledge without the nodes, digests and texts that nothing refers to. All ids are new. */
export function compacted(state: State): State {
  const next = new State();
  const nodes = new Map<NodeId, NodeId>();
  const digestOf = (digest: DigestId): DigestId =>
    digest <= Digest.special ? digest : next.digest(state.digests[digest]!, state.texts.get(digest));
  const nodeOf = (node: NodeId): NodeId => {
    const known = nodes.get(node);
    if (known !== undefined) {
      return known;
    }
    const id = next.node(state.nodeKind[node]!, state.nodeName[node]!);
    nodes.set(node, id);
    next.nodeDigest[id] = digestOf(state.nodeDigest[node]!);
    return id;
  };
  const edgesOf = (edges: Edges): Edges => {
    const pairs: { nodes: NodeId[]; digests: DigestId[] } = { nodes: [], digests: [] };
    eachEdge(
      edges,
      (node, digest) => void (pairs.nodes.push(nodeOf(node)), pairs.digests.push(digestOf(digest))),
    );
    return { ...pairs, start: 0, end: pairs.nodes.length };
  };
  const graphOf = (graph: Graph): Graph => {
    const out = graph.out.map(nodeOf);
    return {
      ...graph,
      definition: graph.definition.map(digestOf),
      needsDigest: graph.needsDigest.map(digestOf),
      out,
      need: graph.need.map(nodeOf),
      edges: edgesOf(graph.edges),
      maker: makersOf({ ...graph, out }),
    };
  };
  if (state.graph !== undefined) {
    next.graph = graphOf(state.graph);
  }
  for (const [node, record] of state.records) {
    next.records.set(nodeOf(node), {
      ...record,
      definition: digestOf(record.definition),
      needsDigest: digestOf(record.needsDigest),
      outputs: edgesOf(record.outputs),
      edges: edgesOf(record.edges),
    });
  }
  for (const [glob, folders] of state.globFolders) {
    if (nodes.has(glob)) {
      next.globFolders.set(nodeOf(glob), folders.map(nodeOf));
    }
  }
  for (let node = 1; node < state.nodeName.length; node++) {
    if (state.nodeKind[node] === Kind.fact) {
      nodeOf(node);
    }
  }
  if (state.settingsNode !== undefined) {
    next.settingsNode = nodeOf(state.settingsNode);
    next.settingsOthers = state.settingsOthers.map(nodeOf);
  }
  next.stamps.take(state.stamps, nodes);
  next.program = state.program;
  next.banner = state.banner;
  next.dirty = true;
  return next;
}

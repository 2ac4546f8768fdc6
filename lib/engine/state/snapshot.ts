import { asF64, asU16, asU32, packColumns, type Column, type Unreadable } from "./columns.ts";
import { freshInMemory } from "../decide.ts";
import {
  Digest,
  Kind,
  makerOf,
  makersOf,
  type Edges,
  type Graph,
  type NodeId,
  type RecordStatus,
  type StepRecord,
} from "../model.ts";
import { BELIEVED_SECTIONS, readSections, SECTIONS, type SectionName, type Sections } from "./sections.ts";
import { State } from "./state.ts";
import { eachEdge } from "./edges.ts";

const none = new Uint8Array();

export function writeSnapshot(state: State): Uint8Array {
  const { graph } = state;
  const stamps = state.stamps.columns(state.nodeName.length);
  const records = [...state.records];
  const outputs = columnsOf(records.map(([, record]) => record.outputs));
  const edges = columnsOf(records.map(([, record]) => record.edges));
  const graphEdges = columnsOf(graph === undefined ? [] : [graph.edges]);
  const texts = [...state.texts];
  const nodeDigest = digestsInUse(state);
  const globs = [...state.globFolders].filter(([glob]) => nodeDigest[glob] !== Digest.unknown);
  const sections: Record<SectionName, Column> = {
    program: utf8(state.program),
    banner: utf8(state.banner),
    nodeKind: Uint8Array.from(state.nodeKind),
    nodeName: utf8(state.nodeName.join("\0")),
    nodeDigest,
    ...stamps,
    stepKind: graph?.kind ?? none,
    fresh: graph === undefined ? none : freshInMemory(state, graph),
    outStart: graph?.outStart ?? none,
    out: graph?.out ?? none,
    group: utf8((graph?.groups ?? []).join("\0")),
    groupStart: graph?.groupStart ?? none,
    groupMember: graph?.groupMember ?? none,
    digest: Buffer.from(state.digests.join(""), "hex"),
    textDigest: Uint32Array.from(texts, ([digest]) => digest),
    text: utf8(texts.map(([, value]) => value).join("\0")),
    stepFlags: graph?.flags ?? none,
    label: utf8((graph?.effectName ?? []).join("\0")),
    definition: graph?.definition ?? none,
    needsDigest: graph?.needsDigest ?? none,
    outMode: graph?.outMode ?? none,
    needStart: graph?.needStart ?? none,
    need: graph?.need ?? none,
    graphEdgeNode: graphEdges.nodes,
    graphEdgeDigest: graphEdges.digests,
    recordNode: Uint32Array.from(records, ([node]) => node),
    recordStatus: Uint8Array.from(records, ([, record]) => record.status),
    recordDefinition: Uint32Array.from(records, ([, record]) => record.definition),
    recordNeedsDigest: Uint32Array.from(records, ([, record]) => record.needsDigest),
    recordFlags: Uint8Array.from(records, ([, record]) => record.flags),
    recordOutStart: outputs.starts,
    recordOutNode: outputs.nodes,
    recordOutDigest: outputs.digests,
    recordEdgeStart: edges.starts,
    recordEdgeNode: edges.nodes,
    recordEdgeDigest: edges.digests,
    settingsOther: Uint32Array.from(state.settingsOthers),
    glob: Uint32Array.from(globs, ([node]) => node),
    globStart: startsOf(globs.map(([, folders]) => folders.length)),
    globFolder: Uint32Array.from(globs.flatMap(([, folders]) => [...folders])),
  };
  return packColumns(
    SECTIONS.map((name) => sections[name]),
    BELIEVED_SECTIONS.length,
  );
}

export function readSnapshot(bytes: Uint8Array): State | Unreadable {
  const sections = readSections(bytes, "all");
  if (typeof sections === "string") {
    return sections;
  }
  const state = new State();
  state.program = text(sections.program);
  state.banner = text(sections.banner);
  const u32 = (name: SectionName): Uint32Array => asU32(sections[name]);
  readNodes(state, sections);
  const digests = Buffer.from(
    sections.digest.buffer,
    sections.digest.byteOffset,
    sections.digest.byteLength,
  ).toString("hex");
  for (let at = state.digests.length * 32; at < digests.length; at += 32) {
    state.digest(digests.slice(at, at + 32));
  }
  const textDigest = u32("textDigest");
  names(sections.text, textDigest.length).forEach((value, index) =>
    state.texts.set(textDigest[index]!, value),
  );
  readRecords(state, sections);
  const [globStart, globFolder] = [u32("globStart"), u32("globFolder")];
  u32("glob").forEach((node, index) =>
    state.globFolders.set(node, [...globFolder.subarray(globStart[index], globStart[index + 1])]),
  );
  state.settingsOthers = [...u32("settingsOther")];
  if (sections.outStart.byteLength > 0) {
    state.graph = readGraph(sections);
  }
  state.dirty = false;
  return state;
}

/** The digests of the nodes, without those that nothing refers to any more: nobody looks at them again. */
function digestsInUse(state: State): Uint32Array {
  const { graph } = state;
  const used = new Uint8Array(state.nodeName.length);
  const mark = (nodes: ArrayLike<NodeId>): void => {
    for (let index = 0; index < nodes.length; index++) {
      used[nodes[index]!] = 1;
    }
  };
  if (state.settingsNode !== undefined) {
    mark([state.settingsNode]);
    mark(state.settingsOthers);
  }
  if (graph !== undefined) {
    [graph.out, graph.need, graph.edges.nodes].forEach(mark);
  }
  for (const [name, { outputs, edges }] of state.records) {
    // Of an effect that left the project only what it gave is kept, for when it is back.
    const left = graph === undefined || makerOf(graph, name) === undefined;
    for (const list of [outputs, edges]) {
      eachEdge(list, (node) => void (used[node] ||= left && state.nodeKind[node] !== Kind.fact ? 0 : 1));
    }
  }
  for (const [glob, folders] of state.globFolders) {
    if (used[glob] === 1) {
      mark(folders);
    }
  }
  return Uint32Array.from(state.nodeDigest, (digest, node) => (used[node] === 1 ? digest : Digest.unknown));
}

function readNodes(state: State, sections: Sections): void {
  const nodeNames = text(sections.nodeName).split("\0");
  const digest = asU32(sections.nodeDigest);
  for (let node = 1; node < nodeNames.length; node++) {
    state.node(sections.nodeKind[node] as Kind, nodeNames[node]!);
    state.nodeDigest[node] = digest[node]!;
  }
  const { size, mtime, ctime, inode, mode, racy } = sections;
  state.stamps.load({
    size: asF64(size),
    mtime: asF64(mtime),
    ctime: asF64(ctime),
    inode: asF64(inode),
    mode: asU16(mode),
    racy,
  });
}

function readRecords(state: State, sections: Sections): void {
  const u32 = (name: SectionName): Uint32Array => asU32(sections[name]);
  const [outStart, outNode, outDigest] = [
    u32("recordOutStart"),
    u32("recordOutNode"),
    u32("recordOutDigest"),
  ];
  const [edgeStart, edgeNode, edgeDigest] = [
    u32("recordEdgeStart"),
    u32("recordEdgeNode"),
    u32("recordEdgeDigest"),
  ];
  const [definition, needsDigest] = [u32("recordDefinition"), u32("recordNeedsDigest")];
  u32("recordNode").forEach((node, index) => {
    const record: StepRecord = {
      status: sections.recordStatus[index] as RecordStatus,
      definition: definition[index]!,
      needsDigest: needsDigest[index]!,
      flags: sections.recordFlags[index]!,
      outputs: { nodes: outNode, digests: outDigest, start: outStart[index]!, end: outStart[index + 1]! },
      edges: { nodes: edgeNode, digests: edgeDigest, start: edgeStart[index]!, end: edgeStart[index + 1]! },
    };
    state.records.set(node, record);
  });
}

function readGraph(sections: Sections): Graph {
  const u32 = (name: SectionName): Uint32Array => asU32(sections[name]);
  const [outStart, out, groupStart, graphNodes] = [
    u32("outStart"),
    u32("out"),
    u32("groupStart"),
    u32("graphEdgeNode"),
  ];
  return {
    kind: sections.stepKind,
    flags: sections.stepFlags,
    effectName: names(sections.label, sections.stepKind.length),
    definition: u32("definition"),
    needsDigest: u32("needsDigest"),
    outStart,
    out,
    outMode: asU16(sections.outMode),
    needStart: u32("needStart"),
    need: u32("need"),
    groups: names(sections.group, groupStart.length - 1),
    groupStart,
    groupMember: u32("groupMember"),
    edges: { nodes: graphNodes, digests: u32("graphEdgeDigest"), start: 0, end: graphNodes.length },
    maker: makersOf({ outStart, out }),
  };
}

function columnsOf(lists: readonly Edges[]): {
  starts: Uint32Array;
  nodes: Uint32Array;
  digests: Uint32Array;
} {
  const starts = startsOf(lists.map((list) => list.end - list.start));
  const nodes = new Uint32Array(starts[lists.length]!);
  const digests = new Uint32Array(nodes.length);
  for (let index = 0; index < lists.length;) {
    const { nodes: fromNodes, digests: fromDigests, start } = lists[index]!;
    const to = starts[index]!;
    let { end } = lists[index]!;
    // What was read from a snapshot and is as it was lies in one piece there.
    for (index++; lists[index]?.nodes === fromNodes && lists[index]!.start === end; index++) {
      end = lists[index]!.end;
    }
    if (fromNodes instanceof Uint32Array && fromDigests instanceof Uint32Array) {
      nodes.set(fromNodes.subarray(start, end), to);
      digests.set(fromDigests.subarray(start, end), to);
    } else {
      for (let from = start; from < end; from++) {
        nodes[to + from - start] = fromNodes[from]!;
        digests[to + from - start] = fromDigests[from]!;
      }
    }
  }
  return { starts, nodes, digests };
}

export function startsOf(lengths: readonly number[]): Uint32Array {
  const starts = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, index) => (starts[index + 1] = starts[index]! + length));
  return starts;
}

/** The names in a blob; an empty blob holds no name, or one empty name if one is expected. */
export function names(section: Uint8Array, count: number): string[] {
  return count <= 0 ? [] : text(section).split("\0");
}

export function text(section: Uint8Array): string {
  return Buffer.from(section.buffer, section.byteOffset, section.byteLength).toString("utf8");
}

function utf8(value: string): Uint8Array {
  return Buffer.from(value, "utf8");
}

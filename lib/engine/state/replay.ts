import { checksum } from "./columns.ts";
import {
  Digest,
  noEdges,
  RecordStatus,
  type DigestId,
  type Edges,
  type Kind,
  type NodeId,
} from "../model.ts";
import type { State } from "./state.ts";
import { eachEdge, edgesOf } from "./edges.ts";
import { MAGIC, VERSION, HEADER, RECORD_HEAD, Entry } from "./journal.ts";

/**
 * Applies a journal to the state of its snapshot. Returns the outputs of steps that started and did not end.
 */
export function replay(
  state: State,
  bytes: Uint8Array,
  snapshot: readonly [number, number],
): { readonly unfinished: readonly NodeId[] } {
  const unfinished = new Map<NodeId, readonly NodeId[]>();
  if (bytes.length < HEADER) {
    return { unfinished: [] };
  }
  const header = new Uint32Array(bytes.buffer, bytes.byteOffset, HEADER / 4);
  const known = header[0] === MAGIC[0] && header[1] === MAGIC[1] && header[2] === VERSION;
  if (!known || header[4] !== snapshot[0] || header[5] !== snapshot[1]) {
    return { unfinished: [] };
  }
  for (let offset = HEADER; offset + RECORD_HEAD <= bytes.length;) {
    const [length, sum] = new Uint32Array(bytes.buffer, bytes.byteOffset + offset, 2);
    if (length! % 4 !== 0 || length! < 4 || offset + RECORD_HEAD + length! > bytes.length) {
      break;
    }
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + offset + RECORD_HEAD, length! / 4);
    if (checksum(words, 0, words.length) !== sum) {
      break;
    }
    apply(state, words, unfinished);
    offset += RECORD_HEAD + length!;
  }
  return { unfinished: [...unfinished.values()].flat() };
}

function apply(state: State, words: Uint32Array, unfinished: Map<NodeId, readonly NodeId[]>): void {
  const [type, step] = [words[0]!, words[1]!];
  if (type === Entry.node) {
    state.node(words[1] as Kind, textAt(words, 2));
  } else if (type === Entry.digest) {
    const text = textAt(words, 2);
    state.digest(text.slice(0, 32), words[1] === 1 ? text.slice(32) : undefined);
  } else if (type === Entry.started) {
    const before = state.records.get(step);
    const outputs = new Map<NodeId, DigestId>();
    eachEdge(pairs(words.subarray(5)), (node, digest) => {
      outputs.set(node, digest);
    });
    unfinished.set(step, [...outputs.keys()]);
    // What it made before stays known as ours where it is not known what it was about to make.
    if (before !== undefined) {
      eachEdge(before.outputs, (node, digest) => {
        if ((outputs.get(node) ?? Digest.unknown) === Digest.unknown) {
          outputs.set(node, digest);
        }
      });
    }
    const edges = before?.edges ?? noEdges;
    state.setRecord(step, {
      status: RecordStatus.started,
      definition: words[2]!,
      needsDigest: words[3]!,
      flags: words[4]!,
      outputs: edgesOf(outputs),
      edges,
    });
  } else if (type === Entry.ended) {
    const made = words[6]!;
    const outputs = pairs(words.subarray(7, 7 + made * 2));
    const edges = pairs(words.subarray(7 + made * 2));
    state.setRecord(step, {
      status: words[2] as RecordStatus,
      definition: words[3]!,
      needsDigest: words[4]!,
      flags: words[5]!,
      outputs,
      edges,
    });
    eachEdge(outputs, (node, digest) => state.remember(node, digest));
    unfinished.delete(step);
  }
}

function pairs(words: Uint32Array): Edges {
  const nodes = words.filter((_, index) => index % 2 === 0);
  const digests = words.filter((_, index) => index % 2 === 1);
  return { nodes, digests, start: 0, end: nodes.length };
}

function textAt(words: Uint32Array, index: number): string {
  return Buffer.from(words.buffer, words.byteOffset + (index + 1) * 4, words[index]).toString("utf8");
}

/**
 * The journal `.dospesos/journal`: what happened since the snapshot, appended record by record while a build runs, so
 * that a crash loses at most the steps that were running. It extends one snapshot, named by its checksum in the header;
 * a journal of another snapshot is worth nothing. The next start folds it into a new snapshot.
 *
 *   header   "DOSPJRNL", u32 version, u32 0, u32 × 2 checksum of the snapshot (0 0 if there was none)
 *   record   u32 byte length of the payload, u32 × 2 checksum of the payload, the payload padded to 4
 *   payload  u32 type, then numbers and texts as written below; ids are those of the snapshot, continued
 *
 * Reading stops at the first record that is cut or damaged: what stands behind it is repeated by the next build.
 */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { checksum } from "./columns.ts";
import { Digest, noEdges, RecordStatus, type DigestId, type Edges, type Kind, type NodeId, type StepRecord } from "./model.ts";
import { eachEdge, edgesOf, type State } from "./state.ts";

const MAGIC = [0x50534f44, 0x4c4e524a];
const VERSION = 1;
const HEADER = 24;
const Entry = { node: 1, digest: 2, started: 3, ended: 4 } as const;

/** A snapshot as its journal sees it: its checksum (0 0 if there is none), and how many nodes and digests it knows. */
export interface SnapshotExtent {
  readonly id: readonly [number, number];
  readonly nodes: number;
  readonly digests: number;
}

export class Journal {
  readonly #path: string;
  readonly #state: State;
  #snapshot: readonly [number, number];
  #file: number | undefined;
  #nodes: number;
  #digests: number;
  #size = 0;

  /** `snapshot` is what the journal extends; whatever the state has learned since that was read is written with the first record. */
  constructor(path: string, state: State, snapshot: SnapshotExtent) {
    this.#path = path;
    this.#state = state;
    this.#snapshot = snapshot.id;
    this.#nodes = snapshot.nodes;
    this.#digests = snapshot.digests;
  }

  /** The checksum of the snapshot that this journal extends. */
  get snapshot(): readonly [number, number] {
    return this.#snapshot;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Must be on its way to the disk before the first output of the step is touched, or an effect applied. `outputs` are about to
   * get these digests (unknown: not worked out yet).
   */
  started(step: NodeId, record: Pick<StepRecord, "definition" | "flags">, outputs: ReadonlyMap<NodeId, DigestId>): void {
    this.#append(payload(Entry.started, [step, record.definition, record.flags, ...[...outputs].flat()]));
  }

  ended(step: NodeId, record: StepRecord): void {
    const numbers: number[] = [step, record.status, record.definition, record.flags, record.outputs.end - record.outputs.start];
    eachEdge(record.outputs, (node, digest) => void numbers.push(node, digest));
    eachEdge(record.edges, (node, digest) => void numbers.push(node, digest));
    this.#append(payload(Entry.ended, numbers));
  }

  /** Closes the file. What follows belongs to the snapshot with the given checksum, which holds the whole state. */
  restart(snapshot: readonly [number, number]): void {
    this.close();
    this.#size = 0;
    this.#snapshot = snapshot;
    this.#nodes = this.#state.nodeName.length;
    this.#digests = this.#state.digests.length;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  /** The entries for nodes and digests that are not in the snapshot or the journal yet. */
  #names(): Uint8Array[] {
    const { nodeKind, nodeName, digests, texts } = this.#state;
    const entries: Uint8Array[] = [];
    for (let node = this.#nodes; node < nodeName.length; node++) entries.push(payload(Entry.node, [nodeKind[node]!], nodeName[node]!));
    for (let digest = this.#digests; digest < digests.length; digest++) {
      const known = texts.get(digest);
      entries.push(payload(Entry.digest, [known === undefined ? 0 : 1], digests[digest]! + (known ?? "")));
    }
    return entries;
  }

  /** Writes an entry and the names that it needs; all of it or, if that fails, nothing. */
  #append(entry: Uint8Array): void {
    const bytes = Buffer.concat([...this.#names(), entry].flatMap((one) => {
      const words = new Uint32Array(one.buffer, one.byteOffset, one.byteLength / 4);
      return [new Uint8Array(Uint32Array.from([one.byteLength, ...checksum(words, 0)]).buffer), one];
    }));
    this.#file ??= openSync(this.#path, "w", 0o600);
    try {
      if (this.#size === 0) writeAll(this.#file, new Uint8Array(Uint32Array.from([...MAGIC, VERSION, 0, ...this.#snapshot]).buffer), this.#path, 0);
      writeAll(this.#file, bytes, this.#path, HEADER + this.#size);
    } catch (error) {
      // What stands behind a record that was cut would be lost to replay.
      ftruncateSync(this.#file, this.#size === 0 ? 0 : HEADER + this.#size);
      throw error;
    }
    this.#size += bytes.length;
    this.#nodes = this.#state.nodeName.length;
    this.#digests = this.#state.digests.length;
  }
}

/** Writes every byte: a single write may stop short on a full disk without an error. An error names the file. */
export function writeAll(file: number, bytes: Uint8Array, path: string, position = 0): void {
  try {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset, bytes.length - offset, position + offset);
  } catch (error) {
    throw Object.assign(error as NodeJS.ErrnoException, { path });
  }
}

/** Applies a journal to the state of its snapshot. Returns the outputs of steps that started and did not end. */
export function replay(state: State, bytes: Uint8Array, snapshot: readonly [number, number]): { readonly unfinished: readonly NodeId[] } {
  const unfinished = new Map<NodeId, readonly NodeId[]>();
  if (bytes.length < HEADER) return { unfinished: [] };
  const header = new Uint32Array(bytes.buffer, bytes.byteOffset, HEADER / 4);
  const known = header[0] === MAGIC[0] && header[1] === MAGIC[1] && header[2] === VERSION;
  if (!known || header[4] !== snapshot[0] || header[5] !== snapshot[1]) return { unfinished: [] };
  for (let offset = HEADER; offset + 12 <= bytes.length; ) {
    const [length, first, second] = new Uint32Array(bytes.buffer, bytes.byteOffset + offset, 3);
    if (length! % 4 !== 0 || length! < 4 || offset + 12 + length! > bytes.length) break;
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + offset + 12, length! / 4);
    const [a, b] = checksum(words, 0);
    if (a !== first || b !== second) break;
    apply(state, words, unfinished);
    offset += 12 + length!;
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
    eachEdge(pairs(words.subarray(4)), (node, digest) => void outputs.set(node, digest));
    unfinished.set(step, [...outputs.keys()]);
    // What it made before stays known as ours where it is not known what it was about to make.
    if (before !== undefined) eachEdge(before.outputs, (node, digest) => void ((outputs.get(node) ?? Digest.unknown) === Digest.unknown && outputs.set(node, digest)));
    const edges = before?.edges ?? noEdges;
    state.setRecord(step, { status: RecordStatus.started, definition: words[2]!, flags: words[3]!, outputs: edgesOf(outputs), edges });
  } else if (type === Entry.ended) {
    const made = words[5]!;
    const outputs = pairs(words.subarray(6, 6 + made * 2));
    const edges = pairs(words.subarray(6 + made * 2));
    state.setRecord(step, { status: words[2] as RecordStatus, definition: words[3]!, flags: words[4]!, outputs, edges });
    eachEdge(outputs, (node, digest) => state.remember(node, digest));
    unfinished.delete(step);
  }
}

function pairs(words: Uint32Array): Edges {
  const nodes = words.filter((_, index) => index % 2 === 0);
  const digests = words.filter((_, index) => index % 2 === 1);
  return { nodes, digests, start: 0, end: nodes.length };
}

/** A payload: the type, the numbers, and at the end a text, which carries its byte length. */
function payload(type: number, numbers: readonly number[], text?: string): Uint8Array {
  const encoded = text === undefined ? undefined : Buffer.from(text, "utf8");
  const words = new Uint32Array(1 + numbers.length + (encoded === undefined ? 0 : 1 + Math.ceil(encoded.length / 4)));
  words[0] = type;
  words.set(numbers, 1);
  const bytes = new Uint8Array(words.buffer);
  if (encoded !== undefined) {
    words[1 + numbers.length] = encoded.length;
    bytes.set(encoded, (2 + numbers.length) * 4);
  }
  return bytes;
}

function textAt(words: Uint32Array, index: number): string {
  return Buffer.from(words.buffer, words.byteOffset + (index + 1) * 4, words[index]!).toString("utf8");
}

/**
 * The journal `.dospesos/journal`: what happened since the snapshot, appended record by record while a build
 * runs, so that a crash loses at most the steps that were running. It extends one snapshot, named by its
 * checksums in the header; a journal of another snapshot is worth nothing. The next start folds it into a new
 * snapshot.
 *
 *   header   "DOSPJRNL", u32 version, u32 0, u32 × 2 checksums of the snapshot (0 0 if there was none)
 *   record   u32 byte length of the payload, u32 checksum of the payload, the payload padded to 4
 *   payload  u32 type, then numbers and texts as written below; ids are those of the snapshot, continued
 *
 * Reading stops at the first record that is cut or damaged: what stands behind it is repeated by the next
 * build.
 */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { checksum } from "./columns.ts";
import {
  Digest,
  noEdges,
  RecordStatus,
  type DigestId,
  type Edges,
  type Kind,
  type NodeId,
  type StepRecord,
} from "../model.ts";
import { eachEdge, edgesOf, type State } from "./state.ts";

const MAGIC = [0x50534f44, 0x4c4e524a];
const VERSION = 2;
const HEADER = 24;
const RECORD_HEAD = 8;
const Entry = { node: 1, digest: 2, started: 3, ended: 4 } as const;

/**
 * A snapshot as its journal sees it: its checksums (0 0 if there is none), and how many nodes and digests it
 * knows.
 */
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
  /** Bytes in the file. */
  #written = 0;
  readonly #pending = new Records();

  /**
   * `snapshot` is what the journal extends; whatever the state has learned since that was read is written
   * with the first record.
   */
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
    return this.#written + this.#pending.byteLength;
  }

  /**
   * Is on its way to the disk when this returns: before the first output of the step is touched, or an effect
   * applied. `outputs` are about to get these digests (unknown: not worked out yet).
   */
  started(
    step: NodeId,
    { definition, flags }: Pick<StepRecord, "definition" | "flags">,
    outputs: ReadonlyMap<NodeId, DigestId>,
  ): void {
    this.#names();
    this.#pending.begin(Entry.started);
    this.#pending.add(step, definition, flags);
    for (const [node, digest] of outputs) {
      this.#pending.add(node, digest);
    }
    this.#pending.end();
    this.flush();
  }

  /** Is written with the next start, or by flush: a crash before that repeats the step. */
  ended(step: NodeId, { status, definition, flags, outputs, edges }: StepRecord): void {
    this.#names();
    this.#pending.begin(Entry.ended);
    this.#pending.add(step, status, definition, flags, outputs.end - outputs.start);
    for (const list of [outputs, edges]) {
      for (let at = list.start; at < list.end; at++) {
        this.#pending.add(list.nodes[at]!, list.digests[at]!);
      }
    }
    this.#pending.end();
  }

  /** Writes what is waiting; all of it or, if that fails, nothing. */
  flush(): void {
    if (this.#pending.byteLength === 0) {
      return;
    }
    this.#file ??= openSync(this.#path, "w", 0o600);
    try {
      if (this.#written === 0) {
        writeAll(
          this.#file,
          new Uint8Array(Uint32Array.from([...MAGIC, VERSION, 0, ...this.#snapshot]).buffer),
          this.#path,
          0,
        );
      }
      writeAll(this.#file, this.#pending.bytes, this.#path, HEADER + this.#written);
    } catch (error) {
      // What stands behind a record that was cut would be lost to replay.
      ftruncateSync(this.#file, this.#written === 0 ? 0 : HEADER + this.#written);
      throw error;
    }
    this.#written += this.#pending.byteLength;
    this.#pending.clear();
  }

  /**
   * Closes the file. What follows belongs to the snapshot with the given checksum, which holds the whole
   * state.
   */
  restart(snapshot: readonly [number, number]): void {
    this.close();
    this.#written = 0;
    this.#pending.clear();
    this.#snapshot = snapshot;
    this.#nodes = this.#state.nodeName.length;
    this.#digests = this.#state.digests.length;
  }

  close(): void {
    if (this.#file !== undefined) {
      closeSync(this.#file);
    }
    this.#file = undefined;
  }

  /**
   * Tells the nodes and digests that are neither in the snapshot nor in the journal yet: the next entry may
   * refer to them.
   */
  #names(): void {
    const { nodeKind, nodeName, digests, texts } = this.#state;
    for (; this.#nodes < nodeName.length; this.#nodes++) {
      this.#pending.begin(Entry.node);
      this.#pending.add(nodeKind[this.#nodes]!);
      this.#pending.text(nodeName[this.#nodes]!);
      this.#pending.end();
    }
    for (; this.#digests < digests.length; this.#digests++) {
      const known = texts.get(this.#digests);
      this.#pending.begin(Entry.digest);
      this.#pending.add(known === undefined ? 0 : 1);
      this.#pending.text(digests[this.#digests]! + (known ?? ""));
      this.#pending.end();
    }
  }
}

/** Records that are not written yet, one behind the other. */
class Records {
  #words = new Uint32Array(1024);
  #length = 0;
  #start = 0;

  get byteLength(): number {
    return this.#length * 4;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer, 0, this.byteLength);
  }

  /** Leaves room for length and checksum. */
  begin(type: number): void {
    this.#start = this.#length;
    this.add(0, 0, type);
  }

  add(...numbers: readonly number[]): void {
    this.#reserve(numbers.length);
    for (const number of numbers) {
      this.#words[this.#length++] = number;
    }
  }

  text(text: string): void {
    const bytes = Buffer.byteLength(text, "utf8");
    const words = Math.ceil(bytes / 4);
    this.add(bytes);
    this.#reserve(words);
    this.#words.fill(0, this.#length, this.#length + words);
    Buffer.from(this.#words.buffer, this.byteLength, bytes).write(text, "utf8");
    this.#length += words;
  }

  end(): void {
    const payload = this.#start + 2;
    this.#words[this.#start] = (this.#length - payload) * 4;
    this.#words[this.#start + 1] = checksum(this.#words, payload, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#words.length) {
      return;
    }
    const words = new Uint32Array((this.#length + count) * 2);
    words.set(this.#words.subarray(0, this.#length));
    this.#words = words;
  }
}

/**
 * Writes every byte: a single write may stop short on a full disk without an error. An error names the file.
 */
export function writeAll(file: number, bytes: Uint8Array, path: string, position = 0): void {
  try {
    for (let offset = 0; offset < bytes.length;) {
      offset += writeSync(file, bytes, offset, bytes.length - offset, position + offset);
    }
  } catch (error) {
    throw Object.assign(error as NodeJS.ErrnoException, { path });
  }
}

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
    eachEdge(pairs(words.subarray(4)), (node, digest) => void outputs.set(node, digest));
    unfinished.set(step, [...outputs.keys()]);
    // What it made before stays known as ours where it is not known what it was about to make.
    if (before !== undefined) {
      eachEdge(
        before.outputs,
        (node, digest) =>
          void ((outputs.get(node) ?? Digest.unknown) === Digest.unknown && outputs.set(node, digest)),
      );
    }
    const edges = before?.edges ?? noEdges;
    state.setRecord(step, {
      status: RecordStatus.started,
      definition: words[2]!,
      flags: words[3]!,
      outputs: edgesOf(outputs),
      edges,
    });
  } else if (type === Entry.ended) {
    const made = words[5]!;
    const outputs = pairs(words.subarray(6, 6 + made * 2));
    const edges = pairs(words.subarray(6 + made * 2));
    state.setRecord(step, {
      status: words[2] as RecordStatus,
      definition: words[3]!,
      flags: words[4]!,
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
  return Buffer.from(words.buffer, words.byteOffset + (index + 1) * 4, words[index]!).toString("utf8");
}

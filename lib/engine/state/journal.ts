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
 * Reading stops at the first record that is cut or damaged: what comes after it is repeated by the next
 * build.
 */
import { Records } from "./records.ts";
import { writeAll } from "../../file/index.ts";
import { closeSync, ftruncateSync, openSync } from "node:fs";
import type { DigestId, NodeId, StepRecord } from "../model.ts";
import type { State } from "./state.ts";

export const MAGIC = [0x50534f44, 0x4c4e524a];
export const VERSION = 3;
export const HEADER = 24;
export const RECORD_HEAD = 8;
export const Entry = { node: 1, digest: 2, started: 3, ended: 4 } as const;

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
    { definition, needsDigest, flags }: Pick<StepRecord, "definition" | "needsDigest" | "flags">,
    outputs: ReadonlyMap<NodeId, DigestId>,
  ): void {
    this.#names();
    this.#pending.begin(Entry.started);
    this.#pending.add(step, definition, needsDigest, flags);
    for (const [node, digest] of outputs) {
      this.#pending.add(node, digest);
    }
    this.#pending.end();
    this.flush();
  }

  /** Is written with the next start, or by flush: a crash before that repeats the step. */
  ended(step: NodeId, { status, definition, needsDigest, flags, outputs, edges }: StepRecord): void {
    this.#names();
    this.#pending.begin(Entry.ended);
    this.#pending.add(step, status, definition, needsDigest, flags, outputs.end - outputs.start);
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
      // What comes after a record that was interrupted would be lost to replay.
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

import { closeSync, lstatSync, mkdirSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compacted, isWasteful } from "./compact.ts";
import { Journal, type SnapshotExtent } from "./journal.ts";
import { replay } from "./replay.ts";
import { replaceFile } from "../../file/index.ts";
import type { NodeId } from "../model.ts";
import { ProblemError } from "../../problem/index.ts";
import { readSnapshot, writeSnapshot } from "./snapshot.ts";
import { State } from "./state.ts";

/** The folder of the engine's state, below the project's root. Deleting it costs time, never data. */
export const STATE_FOLDER = ".dospesos";

const SNAPSHOT = "snapshot";
const JOURNAL = "journal";
/** A journal is folded into the snapshot when it is longer than this and than half of it. */
const FOLD_AT_LEAST = 1 << 18;

export interface Loaded {
  readonly state: State;
  readonly snapshot: SnapshotExtent;
  /** Outputs of steps that a crash cut: they may have left temporary files beside them. */
  readonly unfinished: readonly NodeId[];
  /**
   * The ids in memory are not those of the snapshot: before a journal can tell of them, it must be written
   * anew.
   */
  readonly renumbered: boolean;
  /** A snapshot is there and cannot be read: everything is built again. */
  readonly damaged: boolean;
}

/**
 * Refuses a state folder that is a link: what lies where it leads is somebody's, and would be overwritten and removed.
 * Throws a ProblemError (exit 4).
 */
export function refuseLinkedState(root: string): void {
  if (lstatSync(join(root, STATE_FOLDER), { throwIfNoEntry: false })?.isSymbolicLink() !== true) {
    return;
  }
  throw new ProblemError([
    {
      code: "DP304",
      location: { file: STATE_FOLDER },
      what: "the folder of the engine's state is a link",
      why: "what it leads to would be overwritten, and removed by clean",
      fix: `rm ${STATE_FOLDER}, and build again: nothing but time is lost`,
    },
  ]);
}

/** The folder of one state: a project can have several beside each other, each by a variant such as "env/prod". */
function stateFolder(root: string, variant: string): string {
  return join(root, STATE_FOLDER, variant);
}

/**
 * Reads the state and writes nothing. Throws a ProblemError (exit 4) for the state of a newer version, and for a
 * folder that is a link.
 */
export function loadState(root: string, variant = ""): Loaded {
  refuseLinkedState(root);
  const folder = stateFolder(root, variant);
  const bytes = readAligned(join(folder, SNAPSHOT));
  const read = bytes === undefined ? new State() : readSnapshot(bytes);
  if (read === "newer") {
    throw new ProblemError([
      {
        code: "DP301",
        location: { file: `${STATE_FOLDER}/${SNAPSHOT}` },
        what: "this state was written by a newer version of dospesos",
        why: "building with it could throw away what the newer version knows",
        fix: "use the newer version, or delete .dospesos and build everything again",
      },
    ]);
  }
  const state = typeof read === "string" ? new State() : read;
  const id = bytes === undefined || typeof read === "string" ? ([0, 0] as const) : idOf(bytes);
  const snapshot = { id, nodes: state.nodeName.length, digests: state.digests.length };
  const journal = readAligned(join(folder, JOURNAL));
  const unfinished = journal === undefined ? [] : replay(state, journal, id).unfinished;
  const wasteful = unfinished.length === 0 && isWasteful(state);
  return {
    state: wasteful ? compacted(state) : state,
    snapshot,
    unfinished,
    renumbered: wasteful || journal !== undefined,
    damaged: read === "damaged",
  };
}

/** The state on disk, for whoever holds the lock. */
export class Store {
  readonly journal: Journal;
  readonly #folder: string;
  readonly #state: State;
  #snapshotSize = 0;

  constructor(root: string, variant: string, loaded: Loaded) {
    this.#folder = stateFolder(root, variant);
    this.#state = loaded.state;
    this.journal = new Journal(join(this.#folder, JOURNAL), loaded.state, loaded.snapshot);
  }

  /**
   * Writes the snapshot if anything is known that is not on disk in it. A crash leaves the old one or the new
   * one.
   */
  checkpoint(): void {
    if (!this.#state.dirty && this.journal.size === 0) {
      return;
    }
    const bytes = writeSnapshot(this.#state);
    mkdirSync(this.#folder, { recursive: true });
    const path = join(this.#folder, SNAPSHOT);
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
      rmSync(path, { recursive: true });
    }
    replaceFile(path, bytes, { mode: 0o600, durable: true });
    // A crash here leaves a journal of the old snapshot: its header no longer fits, so it is ignored and
    // removed.
    this.journal.restart(idOf(bytes));
    rmSync(join(this.#folder, JOURNAL), { recursive: true, force: true });
    this.#snapshotSize = bytes.length;
    this.#state.dirty = false;
  }

  /**
   * False if another process has written the state since this one read or wrote it: then it must be read
   * again.
   */
  isCurrent(): boolean {
    const [first, second] = readId(join(this.#folder, SNAPSHOT));
    return first === this.journal.snapshot[0] && second === this.journal.snapshot[1];
  }

  /**
   * For a process that goes on (watch): folds only when the journal has grown. Gives false where the state
   * should be read anew, since much of it is not in use.
   */
  checkpointIfLarge(): boolean {
    this.journal.flush();
    if (this.journal.size <= Math.max(FOLD_AT_LEAST, this.#snapshotSize / 2)) {
      return true;
    }
    this.checkpoint();
    return !isWasteful(this.#state);
  }
}

/**
 * The bytes of a file in a buffer of their own, aligned for typed arrays; undefined if there is no such file.
 */
function readAligned(path: string): Uint8Array | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      return undefined;
    }
    if (code === "EISDIR") {
      return new Uint8Array();
    }
    throw error;
  }
  return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
}

/** The checksum of the snapshot on disk, without reading the rest; 0 0 if there is none. */
function readId(path: string): readonly [number, number] {
  const start = new Uint8Array(16);
  try {
    const file = openSync(path, "r");
    try {
      return readSync(file, start) === start.length ? idOf(start) : [0, 0];
    } finally {
      closeSync(file);
    }
  } catch {
    return [0, 0];
  }
}

function idOf(bytes: Uint8Array): readonly [number, number] {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, 4);
  return [words[2]!, words[3]!];
}

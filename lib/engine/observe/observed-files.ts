import { readFileSync, type Stats } from "node:fs";
import { ProblemError } from "../../problem/index.ts";
import { digestOf, digestOfLargeFile } from "../disk/digest.ts";
import { fullPath, look, putFile } from "../disk/files.ts";
import { passed, TICK, waitFor } from "../disk/ticks.ts";
import { Digest, type DigestId, type NodeId } from "../model.ts";
import type { State } from "../state/state.ts";

/** Bytes. Larger files are hashed piece by piece and not kept. */
const MAX_READ_AT_ONCE = 64 << 20;

export interface Content {
  readonly bytes: Uint8Array;
  readonly digest: DigestId;
}

/**
 * The files as they are in this run: looks at each once, hashes only what its stat does not vouch for, and
 * notes in the state what it saw.
 */
export abstract class ObservedFiles {
  readonly root: string;
  readonly state: State;
  /** The settings file, which is parsed when it is looked at. */
  protected readonly settingsNode: NodeId;
  /** Outputs are looked at without following links. */
  readonly isOutput: (node: NodeId) => boolean;
  /** The nodes that were looked at, as a 0/1 mask. */
  #seen = new Uint8Array(0);
  readonly #contents = new Map<NodeId, Content>();
  /** Folders that this run has made for outputs, or found to be there and inside of the project. */
  readonly #folders = new Set<string>();
  /** When the last output was put into its place. */
  #lastPut = -Infinity;

  constructor(root: string, state: State, settingsNode: NodeId, isOutput: (node: NodeId) => boolean) {
    this.root = root;
    this.state = state;
    this.settingsNode = settingsNode;
    this.isOutput = isOutput;
  }

  /** Reads, parses and notes the settings with all files that belong to them; throws if they are wrong. */
  protected abstract readSettings(stat: Stats | "loop" | undefined): unknown;

  /** The digest of a file now. */
  protected currentFile(node: NodeId): DigestId {
    if (!this.wasSeen(node)) {
      this.#lookAt(node);
    }
    return this.state.nodeDigest[node]!;
  }

  wasSeen(node: NodeId): boolean {
    return this.#seen[node] === 1;
  }

  /** Permission bits of a file that exists. */
  mode(node: NodeId): number {
    this.currentFile(node);
    return this.state.stamps.mode(node);
  }

  /** Begins a run: forgets what was seen of everything, or of some files. */
  protected forgetFiles(which: "all" | Iterable<NodeId>): void {
    this.#folders.clear();
    this.#contents.clear();
    if (which === "all") {
      this.#seen = new Uint8Array(this.state.nodeName.length * 2);
      return;
    }
    for (const node of which) {
      this.forget(node);
    }
  }

  /**
   * Reads a file once per run: all steps see the same bytes. Undefined if there is no file; throws if it is
   * none that can be read.
   */
  read(node: NodeId): Content | undefined {
    const read = this.#contents.get(node);
    if (read !== undefined) {
      return read;
    }
    const name = this.state.nodeName[node]!;
    const path = fullPath(this.root, name);
    const stat = look(path, true);
    if (stat === undefined) {
      this.note(node, Digest.missing);
      return undefined;
    }
    if (stat === "loop" || !stat.isFile()) {
      const what =
        stat !== "loop" && stat.isDirectory()
          ? "this is a folder, and a recipe reads it as a file"
          : "this is not a regular file, so it is not read";
      throw new ProblemError([{ code: "DP213", location: { file: name }, what, fix: "name a file" }]);
    }
    const { state } = this;
    const isRacy = waitFor(stat) > 0;
    const bytes = readFileSync(path);
    const content = { bytes, digest: state.digest(digestOf(bytes)) };
    // What this run put there keeps the stamp that it got then.
    const known = content.digest === state.nodeDigest[node] && state.stamps.vouches(node, stat);
    if (!known) {
      this.note(node, content.digest, stat, isRacy);
    }
    this.#contents.set(node, content);
    return content;
  }

  /** Puts the content of an output into its place and notes what stands there now. */
  put(node: NodeId, content: Content, mode: number, durable: boolean): void {
    const { stat, coarse } = putFile(
      this.root,
      this.state.nodeName[node]!,
      content.bytes,
      mode,
      durable,
      this.#folders,
    );
    this.#contents.delete(node);
    this.note(node, content.digest, stat, coarse);
    this.#lastPut = performance.now();
  }

  /** Looks again at a node in this run. */
  forget(node: NodeId): void {
    this.#contents.delete(node);
    this.#seen[node] = 0;
  }

  /** Resolves when every later change of what this run has put into place is sure to show in its times. */
  async quiet(): Promise<void> {
    await passed(this.#lastPut + TICK - performance.now());
  }

  #lookAt(node: NodeId): void {
    const { state } = this;
    const path = fullPath(this.root, state.nodeName[node]!);
    const output = this.isOutput(node);
    const stat = look(path, !output);
    if (stat === undefined) {
      return this.note(node, Digest.missing);
    }
    if (stat === "loop") {
      return this.note(node, Digest.special);
    }
    // How old the last change is counts from here, not from the end of the reading: git calls an entry that
    // is too young racily clean.
    const isRacy = waitFor(stat) > 0;
    if (stat.isDirectory()) {
      return this.note(node, Digest.directory, stat, isRacy);
    }
    if (!stat.isFile()) {
      return this.note(node, Digest.special, stat, isRacy);
    }
    if (state.nodeDigest[node]! > Digest.special && state.stamps.vouches(node, stat)) {
      this.#see(node);
      return;
    }
    // A settings file that is wrong is not noted: the keys would not fit it.
    if (node === this.settingsNode) {
      return void this.readSettings(stat);
    }
    if (state.settingsOthers.includes(node)) {
      this.readSettings(look(fullPath(this.root, state.nodeName[this.settingsNode]!), true));
      if (this.wasSeen(node)) {
        return;
      }
    }
    if (output || stat.size > MAX_READ_AT_ONCE) {
      return this.note(node, state.digest(digestOfFile(path, stat)), stat, isRacy);
    }
    const bytes = readFileSync(path);
    const digest = state.digest(digestOf(bytes));
    this.#contents.set(node, { bytes, digest });
    this.note(node, digest, stat, isRacy);
  }

  protected note(node: NodeId, digest: DigestId, stat?: Stats, isRacy?: boolean): void {
    this.#see(node);
    this.state.observe(node, digest, stat, isRacy);
  }

  #see(node: NodeId): void {
    if (node >= this.#seen.length) {
      const seen = new Uint8Array(node * 2);
      seen.set(this.#seen);
      this.#seen = seen;
    }
    this.#seen[node] = 1;
  }

  protected keepContent(node: NodeId, content: Content): void {
    this.#contents.set(node, content);
  }
}

export function digestOfFile(path: string, stat: Stats): string {
  return stat.size > MAX_READ_AT_ONCE ? digestOfLargeFile(path) : digestOf(readFileSync(path));
}

import type { Stats } from "node:fs";
import { eachEdge } from "./edges.ts";
import {
  Digest,
  fixedDigests,
  Kind,
  type DigestId,
  type Graph,
  type NodeId,
  type StepRecord,
} from "../model.ts";
import { ProblemError, shown } from "../../problem/index.ts";
import { Stamps } from "./stamps.ts";

/**
 * What the engine knows: nodes, digests, records and the graph of the last evaluation. It is read from the
 * snapshot and the journal, changed in memory, and written back by whoever holds the lock (see store.ts).
 */
export class State {
  readonly nodeKind: Kind[] = [Kind.file];
  readonly nodeName: string[] = [""];
  /** The digest that each node had when it was last looked at. */
  readonly nodeDigest: DigestId[] = [Digest.unknown];
  readonly stamps = new Stamps();
  readonly digests: string[] = [...fixedDigests];
  /** The value behind a digest, where it is small and no secret: settings, names, globs and facts as JSON. */
  readonly texts = new Map<DigestId, string>();
  readonly records = new Map<NodeId, StepRecord>();
  /**
   * The folders that were read to answer a glob: only when one of them changes must the glob be asked again.
   */
  readonly globFolders = new Map<NodeId, readonly NodeId[]>();
  graph: Graph | undefined;
  /** The digest of the program that evaluated the graph. */
  program = "";
  /** A word that every screen shows (see Host.banner). */
  banner = "";
  /** The settings file: its stat vouches for all settings keys. */
  settingsNode: NodeId | undefined;
  /** Further files that the settings were made of: a change of any of them is a change of the settings. */
  settingsOthers: readonly NodeId[] = [];
  /** True when something is known that the snapshot on disk does not hold. */
  dirty = false;

  readonly #nodes: readonly Map<string, NodeId>[] = Array.from({ length: 7 }, () => new Map());
  readonly #digestIds = new Map<string, DigestId>();

  constructor() {
    this.digests.forEach((digest, id) => this.#digestIds.set(digest, id));
  }

  /** The id of a node, made if it is new. */
  node(kind: Kind, name: string): NodeId {
    const known = this.#nodes[kind]!.get(name);
    if (known !== undefined) {
      return known;
    }
    if (name.includes("\0")) {
      throw new ProblemError([
        { code: "DP231", what: `${shown(name)}: a name cannot hold NUL`, fix: "take it out" },
      ]);
    }
    const id: NodeId = this.nodeName.length;
    this.#nodes[kind]!.set(name, id);
    this.nodeKind.push(kind);
    this.nodeName.push(name);
    this.nodeDigest.push(Digest.unknown);
    return id;
  }

  /** The id of a node that is known already. */
  find(kind: Kind, name: string): NodeId | undefined {
    return this.#nodes[kind]!.get(name);
  }

  /** The id of a digest (32 hexadecimal digits), made if it is new. */
  digest(digest: string, text?: string): DigestId {
    let id = this.#digestIds.get(digest);
    if (id === undefined) {
      id = this.digests.length;
      this.digests.push(digest);
      this.#digestIds.set(digest, id);
    }
    if (text !== undefined && !this.texts.has(id)) {
      this.texts.set(id, text);
    }
    return id;
  }

  /**
   * Notes what a node is now, and the stat that vouches for it from now on. A change makes the state dirty.
   */
  observe(node: NodeId, digest: DigestId, stat?: Stats, isRacy = false): void {
    if (this.nodeDigest[node] !== digest) {
      this.nodeDigest[node] = digest;
      this.dirty = true;
    }
    if (stat !== undefined && this.stamps.set(node, stat, isRacy)) {
      this.dirty = true;
    }
  }

  /** The node's stat vouches for nothing: it is looked into next time. */
  distrust(node: NodeId): void {
    if (this.stamps.distrust(node)) {
      this.dirty = true;
    }
  }

  /**
   * Notes the digest of what a cut build made; whether it still stands there is for the next look at the
   * file.
   */
  remember(node: NodeId, digest: DigestId): void {
    if (this.nodeKind[node] === Kind.fact) {
      this.nodeDigest[node] = digest;
    }
  }

  setRecord(node: NodeId, record: StepRecord): void {
    this.records.set(node, record);
    this.dirty = true;
  }

  dropRecord(node: NodeId): void {
    if (this.records.delete(node)) {
      this.dirty = true;
    }
  }
}

/** The nodes that are on record as made by a step, as ones. */
export function filesMade(state: State): Uint8Array {
  const made = new Uint8Array(state.nodeName.length);
  for (const { outputs } of state.records.values()) {
    eachEdge(outputs, (node, digest) => {
      if (digest !== Digest.unknown) {
        made[node] = 1;
      }
    });
  }
  return made;
}

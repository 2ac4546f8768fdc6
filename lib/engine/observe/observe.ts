import { readFileSync, type Stats } from "node:fs";
import type { World } from "../decide.ts";
import { canonicalJson, digestOf, digestOfLargeFile } from "../disk/digest.ts";
import { fullPath, look, putFile } from "../disk/files.ts";
import { findFiles } from "../disk/glob.ts";
import { Digest, Kind, type DigestId, type NodeId } from "../model.ts";
import { ProblemError } from "../../problem/index.ts";
import type { SettingsContent, SettingsSource } from "./settings-source.ts";
import { filesMade, type State } from "../state/state.ts";
import { passed, TICK, waitFor } from "../disk/ticks.ts";

/** Bytes. */
const LARGE = 64 << 20;

export interface Content {
  readonly bytes: Uint8Array;
  readonly digest: DigestId;
}

/**
 * The world as it is in this run: looks at each node once, hashes only what its stat does not vouch for, and
 * notes in the state what it saw. Settings, names, environment and globs are looked at first, since one
 * change of a file can change many.
 */
export class Observer implements World {
  readonly root: string;
  readonly state: State;
  readonly #settings: SettingsSource;
  readonly #settingsNode: NodeId;
  /** Outputs are looked at without following links. */
  readonly #isOutput: (node: NodeId) => boolean;
  /** The nodes that were looked at, as ones. */
  #seen = new Uint8Array(0);
  readonly #contents = new Map<NodeId, Content>();
  /** Folders that this run has made for outputs, or found to be there and inside of the project. */
  readonly #folders = new Set<string>();
  #settingsContent: SettingsContent | undefined;
  /** The files that are on record as made by a step, whether it is still there or not, as ones. */
  #made: Uint8Array | undefined;
  /** When the last output was put into its place. */
  #lastPut = -Infinity;

  constructor(root: string, state: State, settings: SettingsSource, isOutput: (node: NodeId) => boolean) {
    this.root = root;
    this.state = state;
    this.#settings = settings;
    this.#isOutput = isOutput;
    this.#settingsNode = state.node(Kind.file, settings.file);
    state.settingsNode = this.#settingsNode;
    this.invalidate("all");
  }

  /** Begins a run: forgets what was seen of everything, or of some files and the folders that hold them. */
  invalidate(which: "all" | Iterable<NodeId>): void {
    const { state } = this;
    this.#folders.clear();
    this.#contents.clear();
    if (which === "all") {
      this.#seen = new Uint8Array(state.nodeName.length * 2);
    } else {
      for (const node of which) {
        this.forget(node);
      }
    }
    const before = state.nodeDigest[this.#settingsNode];
    if (this.current(this.#settingsNode) !== before) {
      this.#lookAtSettings();
    }
    for (let node = 1; node < state.nodeName.length; node++) {
      if (state.nodeKind[node] === Kind.environment && state.nodeDigest[node] !== Digest.unknown) {
        this.#lookAtEnvironment(node);
      }
    }
    this.lookAtGlobs("changed");
  }

  current(node: NodeId): DigestId {
    if (this.state.nodeKind[node] === Kind.file) {
      if (this.#seen[node] !== 1) {
        this.#lookAtFile(node);
      }
    } else if (this.state.nodeDigest[node] === Digest.unknown) {
      this.#lookAtValue(node);
    }
    return this.state.nodeDigest[node]!;
  }

  mode(node: NodeId): number {
    this.current(node);
    return this.state.stamps.mode(node);
  }

  /** The settings, if this run had to parse them so far. */
  get parsedSettings(): SettingsContent | undefined {
    return this.#settingsContent;
  }

  get settingsFile(): string {
    return this.#settings.file;
  }

  /** The checked settings, parsed once. Throws a ProblemError (exit 2) if they are wrong. */
  get settings(): SettingsContent {
    if (this.#settingsContent === undefined) {
      const before = this.state.nodeDigest[this.#settingsNode];
      const content = this.#readSettings(look(fullPath(this.root, this.#settings.file), true));
      // Saved a moment ago: the keys that were looked at before are those of the old content.
      if (this.state.nodeDigest[this.#settingsNode] !== before) {
        this.#lookAtSettings();
      }
      return content;
    }
    return this.#settingsContent;
  }

  /** The value of a settings key now, as canonical JSON; undefined if it has none. */
  settingText(key: string): string | undefined {
    const value = this.settings.value(key);
    return value === undefined ? undefined : JSON.stringify(value);
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
      this.#note(node, Digest.missing);
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
      this.#note(node, content.digest, stat, isRacy);
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
    this.#note(node, content.digest, stat, coarse);
    this.#lastPut = performance.now();
  }

  /**
   * Asks globs again: all after the graph changed, and those whose folders changed after a build wrote into
   * them.
   */
  lookAtGlobs(which: "all" | "changed"): void {
    const { globFolders } = this.state;
    this.#made = undefined;
    const asked = [...globFolders.keys()].filter((node) => which === "all" || this.#foldersChanged(node));
    for (const node of asked) {
      globFolders.get(node)!.forEach((folder) => this.forget(folder));
    }
    for (const node of asked) {
      this.#lookAtGlob(node);
    }
  }

  /** Looks again at a node in this run. */
  forget(node: NodeId): void {
    this.#contents.delete(node);
    this.#seen[node] = 0;
  }

  /**
   * At the end of a run: what was changed just before it was looked at is looked at once more when a tick has
   * passed, so that the next run can trust its stat. What the file system's clock cannot tell apart stays
   * racy.
   */
  async settle(): Promise<void> {
    const { state } = this;
    let wait = 0;
    const isSoon = (node: NodeId): boolean => {
      if (!state.stamps.isRacy(node)) {
        return false;
      }
      const left = waitFor(look(fullPath(this.root, state.nodeName[node]!), true));
      if (left > TICK) {
        return false;
      }
      wait = Math.max(wait, left + 1);
      return true;
    };
    const files: NodeId[] = [];
    for (let node = 1; node < this.#seen.length; node++) {
      if (this.#seen[node] === 1 && state.nodeDigest[node]! > Digest.special && isSoon(node)) {
        files.push(node);
      }
    }
    const globs = [...state.globFolders].filter(
      ([, folders]) =>
        folders.filter((folder) => state.nodeDigest[folder] === Digest.directory && isSoon(folder)).length >
        0,
    );
    if (files.length + globs.length === 0) {
      return;
    }
    await passed(wait);
    for (const node of files) {
      this.#settleFile(node);
    }
    for (const [, folders] of globs) {
      folders.forEach((folder) => this.forget(folder));
    }
    for (const [node] of globs) {
      this.#settleGlob(node);
    }
  }

  /** Resolves when every later change of what this run has put into place is sure to show in its times. */
  async quiet(): Promise<void> {
    await passed(this.#lastPut + TICK - performance.now());
  }

  // The steps of this run were made from what was there before: where something else is there now, the next
  // run must see it.
  #settleFile(node: NodeId): void {
    const { state } = this;
    const path = fullPath(this.root, state.nodeName[node]!);
    const stat = look(path, !this.#isOutput(node));
    const before = state.nodeDigest[node]!;
    const same =
      typeof stat === "object" &&
      stat.isFile() &&
      state.stamps.equals(node, stat) &&
      state.digests[before] === digestOfFile(path, stat);
    if (same) {
      state.observe(node, before, stat, waitFor(stat) > 0);
    } else {
      state.distrust(node);
    }
  }

  #settleGlob(node: NodeId): void {
    const { state } = this;
    const before = state.nodeDigest[node]!;
    this.#lookAtGlob(node);
    if (state.nodeDigest[node] === before) {
      return;
    }
    state.observe(node, before);
    for (const folder of state.globFolders.get(node)!) {
      state.distrust(folder);
    }
  }

  #lookAtFile(node: NodeId): void {
    const { state } = this;
    const path = fullPath(this.root, state.nodeName[node]!);
    const output = this.#isOutput(node);
    const stat = look(path, !output);
    if (stat === undefined) {
      return this.#note(node, Digest.missing);
    }
    if (stat === "loop") {
      return this.#note(node, Digest.special);
    }
    // How old the last change is counts from here, not from the end of the reading: git calls an entry that
    // is too young racily clean.
    const isRacy = waitFor(stat) > 0;
    if (stat.isDirectory()) {
      return this.#note(node, Digest.directory, stat, isRacy);
    }
    if (!stat.isFile()) {
      return this.#note(node, Digest.special, stat, isRacy);
    }
    if (state.nodeDigest[node]! > Digest.special && state.stamps.vouches(node, stat)) {
      this.#see(node);
      return;
    }
    // A settings file that is wrong is not noted: the keys would not fit it.
    if (node === this.#settingsNode) {
      return void this.#readSettings(stat);
    }
    if (output || stat.size > LARGE) {
      return this.#note(node, state.digest(digestOfFile(path, stat)), stat, isRacy);
    }
    const bytes = readFileSync(path);
    const digest = state.digest(digestOf(bytes));
    this.#contents.set(node, { bytes, digest });
    this.#note(node, digest, stat, isRacy);
  }

  #readSettings(stat: Stats | "loop" | undefined): SettingsContent {
    this.#settingsContent = undefined;
    const isRacy = waitFor(stat) > 0;
    const { bytes, settings } = this.#settings.read(
      fullPath(this.root, this.#settings.file),
      this.#settings.file,
    );
    const digest = this.state.digest(digestOf(bytes));
    this.#contents.set(this.#settingsNode, { bytes, digest });
    this.#settingsContent = settings;
    this.#note(this.#settingsNode, digest, typeof stat === "object" ? stat : undefined, isRacy);
    return settings;
  }

  #note(node: NodeId, digest: DigestId, stat?: Stats, isRacy?: boolean): void {
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

  #lookAtValue(node: NodeId): void {
    const { nodeKind } = this.state;
    if (nodeKind[node] === Kind.setting || nodeKind[node] === Kind.sectionNames) {
      this.#lookAtSetting(node);
    } else if (nodeKind[node] === Kind.environment) {
      this.#lookAtEnvironment(node);
    } else if (nodeKind[node] === Kind.glob) {
      this.#lookAtGlob(node);
    }
  }

  #lookAtSettings(): void {
    for (let node = 1; node < this.state.nodeName.length; node++) {
      const kind = this.state.nodeKind[node];
      if ((kind === Kind.setting || kind === Kind.sectionNames) && this.state.nodeDigest[node] !== Digest.unknown) {
        this.#lookAtSetting(node);
      }
    }
  }

  #lookAtSetting(node: NodeId): void {
    const { state } = this;
    const name = state.nodeName[node]!;
    const value =
      state.nodeKind[node] === Kind.sectionNames ? canonicalJson(this.settings.names(name)) : this.settingText(name);
    this.#noteText(node, value);
  }

  #lookAtEnvironment(node: NodeId): void {
    const value = process.env[this.state.nodeName[node]!];
    // The value may be a secret: only its digest is kept.
    this.state.observe(
      node,
      value === undefined ? Digest.missing : this.state.digest(digestOf(`environment:${value}`)),
    );
  }

  #lookAtGlob(node: NodeId): void {
    const { state } = this;
    const folders = new Set<NodeId>();
    // Each folder's stat is taken before its entries are read: whatever changes behind it shows in the next
    // stat.
    const files = findFiles(this.root, state.nodeName[node]!, (name) => {
      const folder = state.node(Kind.file, name);
      folders.add(folder);
      this.current(folder);
    });
    // What rules make, or made before they vanished, does not count: else a glob would change by being built,
    // and a leftover would pass for a source.
    const sources = files.filter((name) => {
      const file = state.find(Kind.file, name);
      return file === undefined || !(this.#isOutput(file) || this.wasMade(file));
    });
    state.globFolders.set(node, [...folders]);
    this.#noteText(node, JSON.stringify(sources));
  }

  /** Whether a build made this file before this run. */
  wasMade(node: NodeId): boolean {
    this.#made ??= filesMade(this.state);
    return this.#made[node] === 1;
  }

  #foldersChanged(node: NodeId): boolean {
    const folders = this.state.globFolders.get(node);
    return (
      folders === undefined ||
      folders.some((folder) => {
        const stat = look(fullPath(this.root, this.state.nodeName[folder]!), true);
        if (stat === undefined || stat === "loop") {
          return this.state.nodeDigest[folder] !== Digest.missing;
        }
        return !this.state.stamps.vouches(folder, stat);
      })
    );
  }

  #noteText(node: NodeId, text: string | undefined): void {
    const { state } = this;
    const before = state.nodeDigest[node]!;
    if (text !== undefined && before > Digest.special && state.texts.get(before) === text) {
      return;
    }
    state.observe(node, text === undefined ? Digest.missing : state.digest(digestOf(`value:${text}`), text));
  }
}

function digestOfFile(path: string, stat: Stats): string {
  return stat.size > LARGE ? digestOfLargeFile(path) : digestOf(readFileSync(path));
}

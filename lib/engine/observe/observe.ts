import type { Stats } from "node:fs";
import { ObservedFiles } from "./observed-files.ts";
import type { World } from "../decide.ts";
import { canonicalJson, digestOf } from "../disk/digest.ts";
import { fullPath, look, realName } from "../disk/files.ts";
import { findFiles } from "../disk/glob.ts";
import { Digest, Kind, type DigestId, type NodeId } from "../model.ts";
import type { SettingsContent, SettingsSource } from "./settings-source.ts";
import { filesMade, type State } from "../state/state.ts";
import { waitFor } from "../disk/ticks.ts";

/**
 * The world as it is in this run: looks at each node once, hashes only what its stat does not vouch for, and
 * notes in the state what it saw. Settings, names, environment and globs are looked at first, since one
 * change of a file can change many.
 */
export class Observer extends ObservedFiles implements World {
  readonly #settings: SettingsSource;
  #settingsContent: SettingsContent | undefined;
  /** The files that are on record as made by a step, whether it is still there or not, as a 0/1 mask. */
  #made: Uint8Array | undefined;
  /** Folders by their real paths, as this run found them. */
  readonly #realFolders = new Map<string, string>();

  constructor(root: string, state: State, settings: SettingsSource, isOutput: (node: NodeId) => boolean) {
    super(root, state, state.node(Kind.file, settings.file), isOutput);
    this.#settings = settings;
    state.settingsNode = this.settingsNode;
    this.invalidate("all");
  }

  /** Begins a run: forgets what was seen of everything, or of some files and the folders that hold them. */
  invalidate(which: "all" | Iterable<NodeId>): void {
    const { state } = this;
    this.#realFolders.clear();
    this.forgetFiles(which);
    const files = [this.settingsNode, ...state.settingsOthers];
    const before = files.map((node) => state.nodeDigest[node]);
    if (files.some((node, index) => this.current(node) !== before[index])) {
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
      return this.currentFile(node);
    }
    if (this.state.nodeDigest[node] === Digest.unknown) {
      this.#lookAtValue(node);
    }
    return this.state.nodeDigest[node]!;
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
      const before = this.state.nodeDigest[this.settingsNode];
      const content = this.readSettings(look(fullPath(this.root, this.#settings.file), true));
      // Saved a moment ago: the keys that were looked at before are those of the old content.
      if (this.state.nodeDigest[this.settingsNode] !== before) {
        this.#lookAtSettings();
      }
      return content;
    }
    return this.#settingsContent;
  }

  /** The checked settings, or undefined where there is no settings file: a project may need none. */
  get settingsIfAny(): SettingsContent | undefined {
    return this.current(this.settingsNode) === Digest.missing ? undefined : this.settings;
  }

  /** The value of a settings key now, as canonical JSON; undefined if it has none. */
  settingText(key: string): string | undefined {
    const value = this.settings.value(key);
    return value === undefined ? undefined : JSON.stringify(value);
  }

  /**
   * Asks globs again: all after the graph changed, and those whose folders changed after a build wrote into
   * them.
   */
  lookAtGlobs(which: "all" | "changed"): void {
    const { globFolders } = this.state;
    this.#made = undefined;
    const changed = [...globFolders.keys()].filter((node) => which === "all" || this.#foldersChanged(node));
    for (const node of changed) {
      globFolders.get(node)!.forEach((folder) => this.forget(folder));
    }
    for (const node of changed) {
      this.lookAtGlob(node);
    }
  }

  protected readSettings(stat: Stats | "loop" | undefined): SettingsContent {
    this.#settingsContent = undefined;
    const isRacy = waitFor(stat) > 0;
    // As of any file: its stat is taken before it is read.
    const stats = new Map<NodeId, Stats | "loop" | undefined>();
    const racy = new Set<NodeId>();
    const reading = (name: string): void => {
      const node = this.state.node(Kind.file, name);
      const seen = look(fullPath(this.root, name), true);
      stats.set(node, seen);
      if (waitFor(seen) > 0) {
        racy.add(node);
      }
      // What is wrong in it is not noted, but a watch has to follow it.
      if (this.state.nodeDigest[node] === Digest.unknown) {
        this.state.observe(node, Digest.special);
      }
    };
    const path = fullPath(this.root, this.#settings.file);
    const { bytes, others, settings } = this.#settings.read(path, this.#settings.file, reading);
    this.#noteSettings(this.settingsNode, bytes, stat, isRacy);
    for (const [node, seen] of stats) {
      const content = others.get(this.state.nodeName[node]!);
      if (content !== undefined) {
        this.#noteSettings(node, content, seen, racy.has(node));
      }
    }
    this.state.settingsOthers = [...stats.keys()];
    this.#settingsContent = settings;
    return settings;
  }

  #noteSettings(node: NodeId, bytes: Uint8Array, stat: Stats | "loop" | undefined, isRacy: boolean): void {
    const digest = this.state.digest(digestOf(bytes));
    this.keepContent(node, { bytes, digest });
    this.note(node, digest, typeof stat === "object" ? stat : undefined, isRacy);
  }

  #lookAtValue(node: NodeId): void {
    const { nodeKind } = this.state;
    if (nodeKind[node] === Kind.setting || nodeKind[node] === Kind.sectionNames) {
      this.#lookAtSetting(node);
    } else if (nodeKind[node] === Kind.environment) {
      this.#lookAtEnvironment(node);
    } else if (nodeKind[node] === Kind.glob) {
      this.lookAtGlob(node);
    }
  }

  #lookAtSettings(): void {
    for (let node = 1; node < this.state.nodeName.length; node++) {
      const kind = this.state.nodeKind[node];
      if (
        (kind === Kind.setting || kind === Kind.sectionNames) &&
        this.state.nodeDigest[node] !== Digest.unknown
      ) {
        this.#lookAtSetting(node);
      }
    }
  }

  #lookAtSetting(node: NodeId): void {
    const { state } = this;
    const name = state.nodeName[node]!;
    const value =
      state.nodeKind[node] === Kind.sectionNames
        ? canonicalJson(this.settings.names(name))
        : this.settingText(name);
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

  /** Asks one glob, and the folders that it reads. */
  lookAtGlob(node: NodeId): void {
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
      const file = state.find(Kind.file, this.realName(name));
      return file === undefined || !(this.isOutput(file) || this.wasMade(file));
    });
    state.globFolders.set(node, [...folders]);
    this.#noteText(node, JSON.stringify(sources));
  }

  /** The name of a file by the real path of its folder. */
  realName(name: string): string {
    return realName(this.root, name, this.#realFolders);
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

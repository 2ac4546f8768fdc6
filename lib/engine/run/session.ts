import { posix } from "node:path";
import type { World } from "../graph/effect.ts";
import type { Group, Step } from "../graph/declaration.ts";
import { fileName } from "../disk/files.ts";
import { buildGraph, declarationsFor } from "../graph/graph.ts";
import type { LoadedGraph, GraphSource } from "../graph/draft.ts";
import { Kind, makerOf, type Graph, type NodeId } from "../model.ts";
import { Observer } from "../observe/observe.ts";
import type { RecipeContext } from "../graph/context.ts";
import type { SettingsContent, SettingsSource } from "../observe/settings-source.ts";
import type { State } from "../state/state.ts";
import { eachEdge } from "../state/edges.ts";
import { loadState, type Loaded } from "../state/store.ts";

/** Paths below which something may have changed; "all" where nobody can tell. */
export type Changes = ReadonlySet<string> | "all";

export type GitStatus = "tracked" | "untracked" | "ignored" | "unknown";

/** What says which steps there are. */
export interface Dofile {
  /** What it declares now, and where from. `keep` allows to write what saves time at the next evaluation. */
  evaluate: (observer: Observer, keep: boolean) => Promise<GraphSource>;
  /** The same without finding out where from, for recipes alone. */
  declarations: (observer: Observer) => Promise<readonly (Step<unknown> | Group)[]>;
}

/** What the program around the engine provides. */
export interface Host {
  /** Which of the project's states this is, e.g. "env/prod"; empty: the only one, or the first. */
  readonly variant: string;
  /** The digest of the program: it changes when anything changes that recipes can call. */
  readonly program: string;
  readonly dofile: Dofile;
  readonly settings: SettingsSource;
  /** Loads what the context needs, before the first recipe runs. */
  load: () => Promise<void>;
  /** The context of recipes, with what the program adds to it. */
  context: (context: RecipeContext) => RecipeContext;
  /** What git says of a file: what it tracks or does not ignore, a person may have written. */
  gitStatus: (root: string, name: string) => GitStatus;
  /** Forgets what git said. */
  invalidate: () => void;
  /** Where effects are applied with these settings: markers say it, and one of another world is not this one's. */
  world: (settings: SettingsContent | undefined) => World;
  /** Where the marker of another world is kept when this one needs its place. */
  keptMarker: (file: string, world: World) => string;
  /** A word that every screen of this project must show ("SANDBOX"), or nothing. */
  banner: (settings: SettingsContent) => string;
}

/**
 * One project as it is now: the state, what is looked at, the graph. A run makes one; watch keeps it from one
 * batch of changes to the next.
 */
export class Session {
  readonly root: string;
  readonly host: Host;
  readonly loaded: Loaded;
  readonly state: State;
  /** The graph has changed in this session, and what is left of the old one is not cleared away yet. */
  replaced = false;
  readonly observer: Observer;
  #built: LoadedGraph | undefined;

  constructor(root: string, host: Host) {
    this.root = root;
    this.host = host;
    this.loaded = loadState(root, host.variant);
    this.state = this.loaded.state;
    this.observer = new Observer(
      root,
      this.state,
      host.settings,
      (node) => this.state.graph !== undefined && makerOf(this.state.graph, node) !== undefined,
    );
    this.#readBanner();
  }

  /**
   * Begins another run: the next question is answered from the disk, as far as something may have changed
   * there.
   */
  invalidate(changes: Changes): void {
    this.host.invalidate();
    this.observer.invalidate(changes === "all" ? "all" : this.#nodesBelow(changes));
    this.#readBanner();
  }

  /**
   * The nodes that a change of these paths can change: they, the folders that hold them, and all that lies
   * below.
   */
  #nodesBelow(paths: ReadonlySet<string>): "all" | Set<NodeId> {
    const { state } = this;
    const changed = new Set([...paths].map((path) => fileName(this.root, path)));
    if (changed.has(".")) {
      return "all";
    }
    const nodes = new Set<NodeId>();
    for (const name of changed) {
      const folder = state.find(Kind.file, posix.dirname(name));
      if (folder !== undefined) {
        nodes.add(folder);
      }
    }
    const known = new Map<string, boolean>();
    const isBelow = (name: string): boolean => {
      const end = name.lastIndexOf("/");
      if (end <= 0) {
        return false;
      }
      const folder = name.slice(0, end);
      let below = known.get(folder);
      if (below === undefined) {
        known.set(folder, (below = changed.has(folder) || isBelow(folder)));
      }
      return below;
    };
    for (let node = 1; node < state.nodeName.length; node++) {
      const name = state.nodeName[node]!;
      if (changed.has(name) || isBelow(name)) {
        nodes.add(node);
      }
    }
    return nodes;
  }

  /** The banner is part of the state, so that nobody has to parse settings to show it. */
  #readBanner(): void {
    const content = this.observer.parsedSettings;
    if (content === undefined) {
      return;
    }
    const banner = this.host.banner(content);
    if (banner !== this.state.banner) {
      this.state.dirty = true;
    }
    this.state.banner = banner;
  }

  /**
   * The graph: the recorded one if nothing that it was made from changed, or a new one. `keep` allows to
   * write the bundle's cache.
   */
  async graph(keep: boolean): Promise<Graph> {
    const known = this.state.graph;
    if (known !== undefined && this.#isCurrent(known)) {
      return known;
    }
    return (await this.#evaluate(keep)).graph;
  }

  /** The graph together with the declarations, which are needed to run a step. */
  async recipes(): Promise<LoadedGraph> {
    const known = this.#built;
    await this.host.load();
    const { graph } = this.state;
    if (graph === undefined || !this.#isCurrent(graph)) {
      return this.#evaluate(true);
    }
    if (known !== undefined && known.graph === graph) {
      return known;
    }
    // The graph is known and holds: only the recipes are missing.
    const declarations = declarationsFor(
      this.state,
      this.root,
      graph,
      await this.host.dofile.declarations(this.observer),
    );
    return declarations === undefined ? await this.#evaluate(true) : (this.#built = { graph, declarations });
  }

  #isCurrent(graph: Graph): boolean {
    return (
      this.state.program === this.host.program &&
      eachEdge(graph.edges, (node, digest) => this.observer.current(node) === digest)
    );
  }

  async #evaluate(keep: boolean): Promise<LoadedGraph> {
    const { state, host, observer, root } = this;
    const changed = state.graph === undefined || !this.#isCurrent(state.graph);
    if (changed) {
      this.replaced = true;
    }
    // The outputs of the new graph are no matches of its globs: if that changes a glob, the graph is made
    // once more.
    for (let round = 0; ; round++) {
      const built = buildGraph(state, root, await host.dofile.evaluate(observer, keep));
      state.graph = built.graph;
      state.program = host.program;
      if (changed) {
        state.dirty = true;
      }
      observer.lookAtGlobs("all");
      if (this.#isCurrent(built.graph) || round === 3) {
        return (this.#built = built);
      }
    }
  }
}

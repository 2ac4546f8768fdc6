import { findSourceMap } from "node:module";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Declaration, Group, Step } from "./declare.ts";
import { bundleDofile, bundleEdges, codeDigest, moduleAt, type Bundle, type Program } from "./dofile.ts";
import { evaluateIn, Evaluation, type Site } from "./evaluation.ts";
import { fileName, fullPath, look } from "./files.ts";
import { buildGraph, declarationsFor, type Built } from "./graph.ts";
import { Kind, makerOf, type Graph, type NodeId } from "./model.ts";
import { Observer } from "./observe.ts";
import { ProblemError, type Place } from "./problem.ts";
import { settingsReader, type RecipeContext } from "./recipe.ts";
import type { SettingsContent, SettingsSource } from "./settings-source.ts";
import { eachEdge, edgesOf, type State } from "./state.ts";
import { loadState, type Loaded } from "./store.ts";
import type { Changes } from "./watcher.ts";

export type Standing = "tracked" | "untracked" | "ignored" | "unknown";

/** What the program around the engine provides. */
export interface Host {
  readonly program: Program;
  /** Name of the Dofile, relative to the root. */
  readonly dofile: string;
  readonly settings: SettingsSource;
  /** The typed view of the settings that a Dofile and its recipes get. */
  settingsView(reader: typeof settingsReader): unknown;
  /** Loads what the context needs, before the first recipe runs. */
  load(): Promise<void>;
  /** The context of recipes, with what the program adds to it. */
  context(context: RecipeContext): RecipeContext;
  /** What git says of a file: what it tracks or does not ignore, a person may have written. */
  standing(root: string, name: string): Standing;
  /** Forgets what git said. */
  lookAgain(): void;
  /** A word that every screen of this project must show ("SANDBOX"), or nothing. */
  banner(settings: SettingsContent): string;
}

/** What a Dofile exports: a function that is called each time the graph is made. */
export interface Project {
  readonly kind: "project";
  define(input: ProjectInput<unknown>): readonly (Step<unknown> | Group)[];
}

export interface ProjectInput<S> {
  readonly settings: S;
  env(name: string): string | undefined;
  /** Names of the source files that match a pattern of fast-glob. */
  glob(pattern: string): readonly string[];
}

/**
 * One project as it is now: the state, what is looked at, the graph. A run makes one; watch keeps it from one batch of changes to
 * the next.
 */
export class Session {
  readonly root: string;
  readonly host: Host;
  readonly loaded: Loaded;
  readonly state: State;
  /** The graph has changed in this session, and what is left of the old one is not cleared away yet. */
  replaced = false;
  readonly observer: Observer;
  #built: Built | undefined;

  constructor(root: string, host: Host) {
    this.root = root;
    this.host = host;
    this.loaded = loadState(root);
    this.state = this.loaded.state;
    this.observer = new Observer(root, this.state, host.settings, (node) => this.state.graph !== undefined && makerOf(this.state.graph, node) !== undefined);
    this.#readBanner();
  }

  /** Begins another run: the next question is answered from the disk, as far as something may have changed there. */
  lookAgain(changes: Changes): void {
    this.host.lookAgain();
    this.observer.lookAgain(changes === "all" ? "all" : this.#nodesBelow(changes));
    this.#readBanner();
  }

  /** The nodes that a change of these paths can change: they, the folders that hold them, and all that lies below. */
  #nodesBelow(paths: ReadonlySet<string>): "all" | Set<NodeId> {
    const { state } = this;
    const changed = new Set([...paths].map((path) => fileName(this.root, path)));
    if (changed.has(".")) return "all";
    const nodes = new Set<NodeId>();
    for (const name of changed) {
      const folder = state.find(Kind.file, posix.dirname(name));
      if (folder !== undefined) nodes.add(folder);
    }
    const known = new Map<string, boolean>();
    const isBelow = (name: string): boolean => {
      const end = name.lastIndexOf("/");
      if (end <= 0) return false;
      const folder = name.slice(0, end);
      let below = known.get(folder);
      if (below === undefined) known.set(folder, (below = changed.has(folder) || isBelow(folder)));
      return below;
    };
    for (let node = 1; node < state.nodeName.length; node++) {
      const name = state.nodeName[node]!;
      if (changed.has(name) || isBelow(name)) nodes.add(node);
    }
    return nodes;
  }

  /** The banner is part of the state, so that nobody has to parse settings to show it. */
  #readBanner(): void {
    const content = this.observer.parsedSettings;
    if (content === undefined) return;
    const banner = this.host.banner(content);
    if (banner !== this.state.banner) this.state.dirty = true;
    this.state.banner = banner;
  }

  /** The graph: the recorded one if nothing that it was made from changed, or a new one. `keep` allows to write the bundle's cache. */
  async graph(keep: boolean): Promise<Graph> {
    const known = this.state.graph;
    if (known !== undefined && this.#isCurrent(known)) return known;
    return (await this.#evaluate(keep)).graph;
  }

  /** The graph together with the declarations, which are needed to run a step. */
  async recipes(): Promise<Built> {
    const known = this.#built;
    await this.host.load();
    const { graph } = this.state;
    if (graph === undefined || !this.#isCurrent(graph)) return this.#evaluate(true);
    if (known !== undefined && known.graph === graph) return known;
    // The graph is known and holds: only the recipes are missing.
    const { bundle, dispose } = await bundleDofile(this.observer, this.host.program, this.host.dofile, true);
    try {
      const { offered } = await this.#offer(bundle, false);
      const declarations = declarationsFor(this.state, this.root, graph, offered);
      return declarations === undefined ? await this.#evaluate(true) : (this.#built = { graph, declarations });
    } finally {
      dispose();
    }
  }

  #isCurrent(graph: Graph): boolean {
    return this.state.program === this.host.program.digest && eachEdge(graph.edges, (node, digest) => this.observer.current(node) === digest);
  }

  async #evaluate(keep: boolean): Promise<Built> {
    const { state, host } = this;
    const dofile = fullPath(this.root, host.dofile);
    if (look(dofile, true) === undefined) {
      throw new ProblemError([{ code: "DP241", place: { file: host.dofile }, what: "there is no such file here", fix: "run dospesos in a project's folder, or name it with -C DIR" }], 2);
    }
    const changed = state.graph === undefined || !this.#isCurrent(state.graph);
    if (changed) this.replaced = true;
    const { bundle, dispose } = await bundleDofile(this.observer, host.program, host.dofile, keep);
    try {
      // The outputs of the new graph are no matches of its globs: if that changes a glob, the graph is made once more.
      for (let round = 0; ; round++) {
        const built = await this.#evaluateOnce(bundle);
        state.graph = built.graph;
        state.program = host.program.digest;
        if (changed) state.dirty = true;
        this.observer.lookAtGlobs("all");
        if (this.#isCurrent(built.graph) || round === 3) return (this.#built = built);
      }
    } finally {
      dispose();
    }
  }

  /** Runs the Dofile's function. `origins`: also finds out where each declaration comes from, which costs a stack trace each. */
  async #offer(bundle: Bundle, origins: boolean): Promise<{ offered: readonly (Step<unknown> | Group)[]; evaluation: Evaluation; url: string }> {
    const { host, observer } = this;
    process.setSourceMapsEnabled(true);
    // A module that was evaluated for another state of the world must not be met again: each evaluation imports it anew.
    const url = `${pathToFileURL(bundle.path).href}?evaluation=${(evaluations += 1)}`;
    const modules = origins ? { url, dofile: host.dofile, moduleAt: (line: number) => moduleAt(bundle, line) } : undefined;
    const evaluation = new Evaluation(observer, modules);
    const offered = await evaluateIn(evaluation, async () => {
      const module = (await import(url)) as { default?: Project };
      if (module.default?.kind !== "project") {
        throw new ProblemError([{ code: "DP242", place: { file: host.dofile }, what: "its default export is no project", fix: "export default project(({ settings }) => […])" }], 2);
      }
      const settings = host.settingsView(settingsReader);
      return module.default.define({ settings, env: (name) => evaluation.environment(name), glob: (pattern) => evaluation.glob(pattern) });
    }).catch((error: unknown) => {
      throw this.#dofileProblem(error);
    });
    return { offered, evaluation, url };
  }

  async #evaluateOnce(bundle: Bundle): Promise<Built> {
    const { state, host, observer, root } = this;
    const { offered, evaluation, url } = await this.#offer(bundle, true);
    const codes = new Map<string, string>();
    const code = ({ origin, version }: Declaration): string => {
      if (version !== undefined) return `version ${version}`;
      const key = origin.modules.join("\0");
      const known = codes.get(key) ?? codeDigest(bundle, host.program, origin.modules, evaluation.declaring);
      codes.set(key, known);
      return known;
    };
    const edges = edgesOf(new Map([...bundleEdges(bundle, observer), ...evaluation.reads]));
    return buildGraph(state, { root, offered, code, place: (declaration) => sourcePlace(root, url, bundle, declaration.origin.site), edges });
  }

  #dofileProblem(error: unknown): ProblemError {
    if (error instanceof ProblemError) return error;
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error), { cause: error });
    const place = placeInStack(this.root, stack ?? "") ?? { file: this.host.dofile };
    return new ProblemError([{ code: "DP243", place, what: `the Dofile failed: ${name}: ${message}` }], 2);
  }
}

/** How many evaluations this process has seen: it makes the address of each import new. */
let evaluations = 0;

/** Where in the sources a site of the bundle is. */
function sourcePlace(root: string, url: string, bundle: Bundle, site: Site | undefined): Place | undefined {
  if (site === undefined) return undefined;
  const entry = findSourceMap(url)?.findEntry(site.line - 1, site.column - 1);
  if (entry === undefined || !("originalSource" in entry)) return undefined;
  const source = entry.originalSource.startsWith("file:") ? fileURLToPath(entry.originalSource) : join(dirname(bundle.path), entry.originalSource);
  return { file: relative(root, source), line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}

/** The first place of the project in a stack trace (source maps are on, so it is a place in the sources). */
export function placeInStack(root: string, stack: string): Place | undefined {
  for (const [, path, line, column] of stack.matchAll(/(?:\(|at )((?:file:\/\/|\/|[A-Za-z]:\\)[^()]+?):(\d+):(\d+)\)?$/gm)) {
    const file = relative(root, path!.startsWith("file:") ? fileURLToPath(path!) : path!);
    if (!file.startsWith("..") && !file.startsWith("node_modules")) return { file, line: Number(line), column: Number(column) };
  }
  return undefined;
}

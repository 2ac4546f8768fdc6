import { Kind, type Origin, type DigestId, type NodeId, type Observer } from "../engine/index.ts";
import { ProblemError } from "../problem/index.ts";

/** The bundle that is being evaluated: where it is, and which module each of its lines comes from. */
export interface Modules {
  /** As it is in stack traces. */
  readonly url: string;
  readonly dofile: string;
  moduleAt: (line: number) => string | undefined;
}

/** What was read while one part of the graph was made. */
interface Scope {
  readonly parent: Scope | undefined;
  /** Single values: whatever is made from here on may depend on them. */
  readonly values: Set<NodeId>;
  /** Lists: a step made for one member does not depend on the names of the others. */
  readonly lists: Set<NodeId>;
  /** The walk over the members of a list that goes on: what was read for each of them. */
  pass: { readonly kind: string; readonly names: Set<string>; readonly reads: Set<NodeId> } | undefined;
}

/**
 * One evaluation of a Dofile. A value that is read while the graph is made can be closed over by a recipe,
 * where no one sees it being used. So every step takes what was read before it, in its scope, as
 * prerequisites. The scopes are what `map` over sections opens: `settings.cores.map((core) => …)` makes the
 * steps of one core independent of the keys and the names of the others. What such a walk read counts for all
 * that is declared after it, since what it gave may be used there; of `mapIsolated` only for those that take it.
 */
export class Evaluation {
  /** Everything that the graph was made from. */
  readonly reads = new Map<NodeId, DigestId>();
  readonly modules: Modules | undefined;
  readonly observer: Observer;
  /** The modules that may call rule(), fact() or effect(), and those that did through another one. */
  readonly declaring: Set<string>;
  #scope: Scope = { parent: undefined, values: new Set(), lists: new Set(), pass: undefined };

  /**
   * Without modules it is only evaluated for its recipes, not for what they are made of: then no one asks
   * what was read.
   */
  constructor(observer: Observer, modules: Modules | undefined, declaring: readonly string[]) {
    this.observer = observer;
    this.modules = modules;
    this.declaring = new Set(declaring);
  }

  setting(key: string): string | number | boolean | undefined {
    if (this.modules !== undefined) {
      this.#scope.values.add(this.#read(Kind.setting, key));
    }
    return this.observer.settings.value(key);
  }

  names(kind: string): readonly string[] {
    if (this.modules !== undefined) {
      this.#scope.lists.add(this.#read(Kind.sectionNames, kind));
    }
    return this.observer.settings.names(kind);
  }

  environment(name: string): string | undefined {
    this.#scope.values.add(this.#read(Kind.environment, name));
    return process.env[name];
  }

  globNames(pattern: string): readonly string[] {
    const node = this.#read(Kind.glob, pattern);
    this.#scope.values.add(node);
    return JSON.parse(this.observer.state.texts.get(this.observer.current(node)) ?? "[]") as string[];
  }

  forSection<T>(kind: string, name: string, body: () => T): T {
    if (this.modules === undefined) {
      return body();
    }
    const outer = this.#scope;
    if (outer.pass?.kind !== kind || outer.pass.names.has(name)) {
      endPass(outer);
      outer.pass = { kind, names: new Set(), reads: new Set() };
    }
    const { names, reads } = outer.pass;
    names.add(name);
    return this.#within(body, reads);
  }

  /**
   * Whoever takes what the body made depends on what it read. Only while the graph is made: throws a
   * ProblemError (exit 2) later.
   */
  isolate<T>(body: () => T): () => T {
    endPass(this.#scope);
    const reads = new Set<NodeId>();
    const value = this.#within(body, reads);
    return () => {
      if (active !== this) {
        throw new ProblemError([
          {
            code: "DP244",
            what: "a recipe asks for what mapIsolated() has made",
            why: "the engine could not know what the recipe depends on",
            fix: "ask while the graph is made, outside of the recipe, and use there what came back",
          },
        ]);
      }
      for (const node of reads) {
        this.#scope.values.add(node);
      }
      return value;
    };
  }

  /** Runs the body in a scope of its own, and adds what was read in it. */
  #within<T>(body: () => T, reads: Set<NodeId>): T {
    const outer = this.#scope;
    const inner: Scope = { parent: outer, values: new Set(), lists: new Set(), pass: undefined };
    this.#scope = inner;
    try {
      return body();
    } finally {
      this.#scope = outer;
      for (const node of allOf(inner)) {
        reads.add(node);
      }
    }
  }

  ambientReads(): ReadonlySet<NodeId> {
    const captured = new Set(allOf(this.#scope));
    for (let scope = this.#scope.parent; scope !== undefined; scope = scope.parent) {
      for (const node of scope.values) {
        captured.add(node);
      }
    }
    return captured;
  }

  #read(kind: Kind, name: string): NodeId {
    const node = this.observer.state.node(kind, name);
    this.reads.set(node, this.observer.current(node));
    return node;
  }
}

/** What the walk gave may be used from here on. */
function endPass(scope: Scope): void {
  for (const node of scope.pass?.reads ?? []) {
    scope.values.add(node);
  }
  scope.pass = undefined;
}

function allOf({ values, lists, pass }: Scope): NodeId[] {
  return [...values, ...lists, ...(pass?.reads ?? [])];
}

/**
 * The evaluation that runs now, if any. There is only one at a time: a session waits for it before it does
 * anything else.
 */
let active: Evaluation | undefined;

export function evaluating(): Evaluation | undefined {
  return active;
}

export async function evaluateIn<T>(evaluation: Evaluation, body: () => Promise<T>): Promise<T> {
  active = evaluation;
  try {
    return await body();
  } finally {
    active = undefined;
  }
}

const UNKNOWN: Origin = { modules: [], site: undefined, ambientReads: new Set() };

/**
 * Where a declaration comes from. Its code is that of every module on the stack and of what they import,
 * since a function that is passed to rule() was written there. What the Dofile imports counts only if it
 * calls rule() itself: it imports everything.
 */
export function origin(): Origin {
  if (active === undefined) {
    throw new ProblemError([
      {
        code: "DP220",
        what: "rule(), fact() and effect() can only be called while a Dofile is evaluated",
        why: "the engine has to know which code a recipe is made of",
        fix: "call it from the Dofile or from a function that the Dofile calls",
      },
    ]);
  }
  if (active.modules === undefined) {
    return UNKNOWN;
  }
  const { url, dofile, moduleAt } = active.modules;
  const modules = new Set<string>();
  let site: Origin["site"];
  for (const frame of callSites()) {
    if (frame.getFileName() !== url) {
      continue;
    }
    const line = frame.getLineNumber() ?? 0;
    const module = moduleAt(line);
    if (module === undefined) {
      continue;
    }
    site ??= { line, column: frame.getColumnNumber() ?? 1 };
    if (module !== dofile || modules.size === 0) {
      modules.add(module);
    }
  }
  for (const module of modules) {
    active.declaring.add(module);
  }
  return { modules: [...modules], site, ambientReads: active.ambientReads() };
}

function callSites(): readonly NodeJS.CallSite[] {
  const { stackTraceLimit } = Error;
  const prepare: unknown = Reflect.get(Error, "prepareStackTrace");
  try {
    Error.stackTraceLimit = 40;
    Error.prepareStackTrace = (_, sites) => sites;
    return new Error().stack as unknown as readonly NodeJS.CallSite[];
  } finally {
    Reflect.set(Error, "prepareStackTrace", prepare);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

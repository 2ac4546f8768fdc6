import { AsyncLocalStorage } from "node:async_hooks";
import type { FileValue } from "../graph/declaration.ts";
import { fileName, fullPath, look } from "../disk/files.ts";
import { Digest, Kind, type DigestId, type NodeId } from "../model.ts";
import type { Observer } from "../observe/observe.ts";
import { ProblemError } from "../../problem/index.ts";
import { endGroupOn } from "../disk/process-group.ts";

/** Gives the contents of a rule's targets in order, or the value of a fact or an effect. */
export type Recipe = (needs: Readonly<Record<string, unknown>>, context: RecipeContext) => unknown;

/** What every recipe can do. All that it reads this way becomes a prerequisite of its step. */
export interface RecipeContext {
  /** The absolute path of the project's folder, for effects that keep files of their own in it. */
  readonly root: string;
  /**
   * A source file. Throws a ProblemError if there is none, or if another rule makes it and `needs` does not
   * say so.
   */
  read(path: string): FileValue;
  /** The same for a file that may be missing: its absence is a prerequisite too. */
  readIfExists(path: string): FileValue | undefined;
  /**
   * As readIfExists, for a file that the step's own work has just changed: its new content is what the step
   * was made from.
   */
  readAgain(path: string): FileValue | undefined;
  /** Source files that match a pattern of fast-glob, sorted by name; what rules make does not count. */
  glob(pattern: string): readonly FileValue[];
  env(name: string): string | undefined;
  /** One of the step's own targets as it stands, for precious ones that must be kept. Not a prerequisite. */
  existing(path: string): FileValue | undefined;
  /** Runs a program (no shell) in the project's root and gives its standard output. Throws if it fails. */
  run(program: string, args: readonly string[], input?: string): Promise<string>;
  /** Says something to the person who builds. */
  note(what: string): void;
  /** Aborted when the build is interrupted. */
  readonly signal: AbortSignal;
}

/** What one step read while its recipe ran. */
export class DependencyRecorder {
  readonly edges = new Map<NodeId, DigestId>();
  readonly observer: Observer;
  readonly #mayRead: (node: NodeId) => boolean;
  /** The first target of the step. */
  readonly step: string;
  readonly #own: ReadonlySet<string>;

  /** `mayRead` tells of an output of the graph whether it was declared in the step's needs. */
  constructor(
    observer: Observer,
    step: string,
    own: ReadonlySet<string>,
    mayRead: (node: NodeId) => boolean,
  ) {
    this.observer = observer;
    this.step = step;
    this.#own = own;
    this.#mayRead = mayRead;
  }

  /** Whether the step itself makes this file. */
  isOwn(name: string): boolean {
    return this.#own.has(name);
  }

  setting(key: string): string | number | boolean | undefined {
    this.#note(Kind.setting, key);
    return this.observer.settings.value(key);
  }

  names(kind: string): readonly string[] {
    this.#note(Kind.sectionNames, kind);
    return this.observer.settings.names(kind);
  }

  environment(name: string): string | undefined {
    this.#note(Kind.environment, name);
    return process.env[name];
  }

  file(path: string): FileValue | undefined {
    const { observer } = this;
    const name = fileName(observer.root, path);
    const node = observer.state.node(Kind.file, name);
    if (this.#own.has(name)) {
      throw new ProblemError([
        {
          code: "DP221",
          location: { file: name },
          what: `${this.step} reads a file that it makes itself`,
          why: "it would depend on its own result",
          fix: "use existing(), which is no prerequisite",
        },
      ]);
    }
    if (!this.#mayRead(node)) {
      throw new ProblemError([
        {
          code: "DP221",
          location: { file: name },
          what: `${this.step} reads a file that another rule makes`,
          why: "without a declared prerequisite it might be read before it is made",
          fix: "add the rule that makes it to `needs`",
        },
      ]);
    }
    const content = observer.read(node);
    this.edges.set(node, content?.digest ?? Digest.missing);
    return content === undefined ? undefined : fileValue(name, content.bytes);
  }

  glob(pattern: string): readonly FileValue[] {
    const node = this.#note(Kind.glob, pattern);
    const names = JSON.parse(this.observer.state.texts.get(this.edges.get(node)!) ?? "[]") as string[];
    return names.flatMap((name) => this.file(name) ?? []);
  }

  #note(kind: Kind, name: string): NodeId {
    const node = this.observer.state.node(kind, name);
    this.edges.set(node, this.observer.current(node));
    return node;
  }
}

/**
 * Which recipe runs now, so that a view of the settings that a recipe closed over knows for whom it reads.
 */
export const currentRecorder = new AsyncLocalStorage<DependencyRecorder>();

export function recipeContext(
  reads: DependencyRecorder,
  signal: AbortSignal,
  note: (what: string) => void,
): RecipeContext {
  const { observer } = reads;
  const missing = (path: string): never => {
    throw new ProblemError([
      {
        code: "DP222",
        location: { file: fileName(observer.root, path) },
        what: "there is no such file",
        fix: "make it, or correct the name",
      },
    ]);
  };
  return {
    root: observer.root,
    read: (path) => reads.file(path) ?? missing(path),
    readIfExists: (path) => reads.file(path),
    readAgain: (path) => {
      observer.forget(observer.state.node(Kind.file, fileName(observer.root, path)));
      return reads.file(path);
    },
    glob: (pattern) => reads.glob(pattern),
    env: (name) => reads.environment(name),
    existing: (path) => {
      const name = fileName(observer.root, path);
      if (!reads.isOwn(name)) {
        throw new ProblemError([
          {
            code: "DP221",
            location: { file: name },
            what: "existing() is asked for a file that the step does not make",
            why: "it is not recorded as a prerequisite",
            fix: "use read()",
          },
        ]);
      }
      const stat = look(fullPath(observer.root, name), false);
      if (stat === undefined || stat === "loop" || !stat.isFile()) {
        return undefined;
      }
      const content = observer.read(observer.state.node(Kind.file, name));
      return content === undefined ? undefined : fileValue(name, content.bytes);
    },
    run: async (program, args, input = "") => {
      const { execa } = await import("execa");
      const ending = process.platform === "win32" ? { cancelSignal: signal } : { detached: true };
      const running = started(program, () =>
        execa(program, args, { cwd: observer.root, input, stripFinalNewline: false, ...ending }),
      );
      const letGo = running.pid === undefined ? () => {} : endGroupOn(signal, running.pid);
      try {
        return (await running).stdout;
      } finally {
        letGo();
      }
    },
    note,
    signal,
  };
}

/** execa 9 trips over itself where Node has no descriptors left for the program's pipes (EMFILE, ENFILE). */
function started<T>(program: string, start: () => T): T {
  try {
    return start();
  } catch (error) {
    if (!(error instanceof TypeError && error.message.includes("stdio is not iterable"))) {
      throw error;
    }
    throw new Error(
      `${program} could not be started: too many open files (EMFILE); raise ulimit -n, or run fewer recipes at a time with -j`,
      { cause: error },
    );
  }
}

export function fileValue(path: string, bytes: Uint8Array): FileValue {
  let text: string | undefined;
  return {
    path,
    bytes,
    get text() {
      return (text ??= Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
    },
    get json(): unknown {
      return JSON.parse(this.text);
    },
  };
}

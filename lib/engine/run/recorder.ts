import { AsyncLocalStorage } from "node:async_hooks";
import type { FileValue } from "../graph/file-value.ts";
import { fileName } from "../disk/files.ts";
import { digestOfList } from "../disk/digest.ts";
import { Digest, Kind, type DigestId, type NodeId } from "../model.ts";
import type { Observer } from "../observe/observe.ts";
import { ProblemError } from "../../problem/index.ts";

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

  /** Stands for everything that was read so far. */
  digest(): string {
    const { state } = this.observer;
    const lines = Array.from(
      this.edges,
      ([node, digest]) => `${state.nodeKind[node]}${state.nodeName[node]} ${state.digests[digest]}`,
    );
    return digestOfList(lines.sort());
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
          fix: "use existing(), which is not a prerequisite",
        },
      ]);
    }
    if (!this.#mayRead(node) || this.#isTargetByLink(name)) {
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
    return this.globNames(pattern).flatMap((name) => this.file(name) ?? []);
  }

  /** The names alone: what the files hold is no prerequisite. */
  globNames(pattern: string): readonly string[] {
    const node = this.#note(Kind.glob, pattern);
    return JSON.parse(this.observer.state.texts.get(this.edges.get(node)!) ?? "[]") as string[];
  }

  /** A link to a folder leads to what a rule makes under another name. */
  #isTargetByLink(name: string): boolean {
    const { state, isOutput } = this.observer;
    const real = this.observer.realName(name);
    const target = real === name ? undefined : state.find(Kind.file, real);
    return target !== undefined && isOutput(target);
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

export function fileValue(path: string, bytes: Uint8Array): FileValue {
  let text: string | undefined;
  return {
    path,
    bytes,
    get text() {
      return (text ??= Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
    },
    get json(): unknown {
      return JSON.parse(this.text) as unknown;
    },
  };
}

import type { Declaration, Glob, Need, SourceFile, Step, Target } from "../graph/declaration.ts";
import type { FileValue } from "../graph/file-value.ts";
import type { Emit } from "./events.ts";
import { fileName } from "../disk/files.ts";
import {
  Digest,
  Kind,
  makerOf,
  needsOf,
  primary,
  type DigestId,
  type Graph,
  type NodeId,
  type StepId,
} from "../model.ts";
import { ProblemError } from "../../problem/index.ts";
import { targetsOf } from "./reasons.ts";
import { recipeContext } from "./recipe.ts";
import type { RecipeContext } from "../graph/context.ts";
import { fileValue, DependencyRecorder } from "./recorder.ts";
import type { Session } from "./session.ts";
import type { State } from "../state/state.ts";
import type { Store } from "../state/store.ts";

/** What it takes to run the steps of one build. */
export interface StepContext {
  readonly session: Session;
  readonly store: Store;
  readonly graph: Graph;
  readonly declarations: readonly Declaration[];
  readonly signal: AbortSignal;
  readonly emit: Emit;
  /** Replaces also files that a person may have written. */
  readonly force: boolean;
}

/** A step whose prerequisites are there: their values, and the recorder of all that is read from now on. */
export interface Prepared {
  readonly recorder: DependencyRecorder;
  readonly values: Readonly<Record<string, unknown>>;
  readonly context: RecipeContext;
}

export function prepare({ session, graph, declarations, signal, emit }: StepContext, step: StepId): Prepared {
  const { observer } = session;
  const { state } = observer;
  const target = state.nodeName[primary(graph, step)]!;
  const needed = new Set<NodeId>(needsOf(graph, step));
  const reads = new DependencyRecorder(
    observer,
    target,
    new Set(targetsOf(state, graph, step)),
    (node) => makerOf(graph, node) === undefined || needed.has(node),
  );
  for (const node of needed) {
    const digest = observer.current(node);
    if (state.nodeKind[node] === Kind.file && digest <= Digest.special) {
      throw unreadable(state, node, digest, target, makerOf(graph, node) !== undefined);
    }
    reads.edges.set(node, digest);
  }
  const values = Object.fromEntries(
    Object.entries(declarations[step]!.needs).map(([key, need]) => [key, valueOf(need, reads)]),
  );
  return {
    recorder: reads,
    values,
    context: session.host.context(recipeContext(reads, signal, (what) => emit({ type: "note", what }))),
  };
}

function valueOf(need: Need, reads: DependencyRecorder): unknown {
  if (Array.isArray(need)) {
    return need.map((one: Need) => valueOf(one, reads));
  }
  const one = need as Step<unknown> | Target | SourceFile | Glob;
  if (one.kind === "glob") {
    return reads.glob(one.pattern);
  }
  if (one.kind !== "step") {
    return lazyFile(one.path, reads);
  }
  const { declaration } = one;
  if (declaration.kind !== "rule") {
    const { state } = reads.observer;
    return JSON.parse(
      state.texts.get(state.nodeDigest[state.node(Kind.fact, declaration.name)]!)!,
    ) as unknown;
  }
  const files = declaration.makes.map((made) => lazyFile(made.path, reads));
  return declaration.keys === undefined
    ? files[0]
    : Object.fromEntries(declaration.keys.map((key, index) => [key, files[index]]));
}

/** A declared file that is read when the recipe asks for its content. */
function lazyFile(path: string, reads: DependencyRecorder): FileValue {
  let value: FileValue | undefined;
  const content = (): FileValue => (value ??= reads.file(path) ?? fileValue(path, new Uint8Array()));
  return {
    path: fileName(reads.observer.root, path),
    get bytes() {
      return content().bytes;
    },
    get text() {
      return content().text;
    },
    get json(): unknown {
      return content().json;
    },
  };
}

function unreadable(
  state: State,
  node: NodeId,
  digest: DigestId,
  target: string,
  made: boolean,
): ProblemError {
  const name = state.nodeName[node]!;
  if (digest !== Digest.missing) {
    const what =
      digest === Digest.directory
        ? "this prerequisite is a folder"
        : "this prerequisite is not a regular file";
    return new ProblemError([
      {
        code: "DP213",
        location: { file: name },
        what,
        why: `${target} needs its content`,
        fix: "name a file, or use glob() for the files of a folder",
      },
    ]);
  }
  const what = made
    ? "this prerequisite was made and is gone again"
    : "there is no such file, and no rule makes it";
  return new ProblemError([
    {
      code: "DP227",
      location: { file: name },
      what,
      why: `${target} needs it`,
      fix: made ? "build again" : "make the file, or correct the name",
    },
  ]);
}

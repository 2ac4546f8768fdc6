import type {
  Declaration,
  EffectPlan,
  FileValue,
  Glob,
  Need,
  SourceFile,
  Step,
  Target,
} from "../graph/declaration.ts";
import type { Emit } from "./events.ts";
import { canonicalJson, digestOf } from "../disk/digest.ts";
import { fileName } from "../disk/files.ts";
import {
  Digest,
  Kind,
  makerOf,
  needsOf,
  outputsOf,
  primary,
  recordFlags,
  RecordStatus,
  StepKind,
  type DigestId,
  type Graph,
  type NodeId,
  type StepId,
} from "../model.ts";
import type { Observer } from "../observe/observe.ts";
import { ProblemError } from "../../problem/index.ts";
import { targetsOf } from "./reasons.ts";
import { fileValue, DependencyRecorder, recipeContext, currentRecorder, type RecipeContext } from "./recipe.ts";
import type { Session } from "./session.ts";
import { eachEdge, edgesOf, type State } from "../state/state.ts";
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

/**
 * Runs one step and puts what it made into place. The order is what makes a crash harmless: started → outputs
 * renamed → done; a start without an end is stale. Throws what the recipe threw, after the failure is on
 * record.
 */
export async function runStep(runner: StepContext, step: StepId, prepared?: Prepared): Promise<void> {
  const {
    graph,
    store,
    session: { state },
  } = runner;
  const name = primary(graph, step);
  const definition = graph.definition[step]!;
  const flags = recordFlags(graph, step);
  // A rule changes nothing before its outputs are put into place (see place); an effect may change something
  // from here on.
  if (graph.kind[step] === StepKind.effect) {
    store.journal.started(
      name,
      { definition, flags },
      new Map(Array.from(outputsOf(graph, step), (node) => [node, Digest.unknown])),
    );
  }
  const before = state.records.get(name);
  const made = new Map<NodeId, DigestId>();
  const ended = (status: RecordStatus, edges: ReadonlyMap<NodeId, DigestId>): void => {
    const record = { status, definition, flags, outputs: edgesOf(made), edges: edgesOf(edges) };
    state.setRecord(name, record);
    store.journal.ended(name, record);
    // What an effect did cannot be found out by doing it again.
    if (graph.kind[step] === StepKind.effect) {
      store.journal.flush();
    }
  };
  try {
    const { recorder: reads, values, context } = prepared ?? prepare(runner, step);
    const result = currentRecorder.run(reads, () => runner.declarations[step]!.recipe(values, context));
    commitOutputs(runner, step, result instanceof Promise ? await result : result, reads, made);
    ended(RecordStatus.done, reads.edges);
  } catch (error) {
    // What it made before stays known as ours, and so does what it made now before it failed.
    if (before !== undefined) {
      eachEdge(before.outputs, (node, digest) => void (made.has(node) || made.set(node, digest)));
    }
    ended(RecordStatus.failed, new Map());
    throw error;
  }
}

/**
 * What an effect would change; what the plan reads is a prerequisite as if apply had read it. Undefined:
 * nobody is to be asked.
 */
export async function planEffect(
  runner: StepContext,
  step: StepId,
): Promise<{ plan: EffectPlan | undefined; prepared: Prepared }> {
  const prepared = prepare(runner, step);
  const { plan } = runner.declarations[step]!;
  return {
    plan: await currentRecorder.run(prepared.recorder, async () => plan?.(prepared.values, prepared.context)),
    prepared,
  };
}

function prepare({ session, graph, declarations, signal, emit }: StepContext, step: StepId): Prepared {
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

/** Puts what a recipe gave into place and notes the digest of each output in `made`. */
function commitOutputs(
  runner: StepContext,
  step: StepId,
  result: unknown,
  reads: DependencyRecorder,
  made: Map<NodeId, DigestId>,
): void {
  const { graph, declarations, session } = runner;
  const { observer } = session;
  const { state } = observer;
  const declaration = declarations[step]!;
  const outputs: readonly NodeId[] = [...outputsOf(graph, step)];
  // What stands there is looked at right before it is replaced.
  for (const node of outputs) {
    observer.forget(node);
  }
  if (declaration.kind === "rule") {
    // Everything is checked before the first file is written.
    const contents = outputs.map((node, index) =>
      bytesOf((result as readonly unknown[])[index], state.nodeName[node]!),
    );
    const digests = contents.map((bytes) => state.digest(digestOf(bytes)));
    if (!runner.force) {
      outputs.forEach((node, index) => keepForeign(session, node, digests[index]!));
    }
    runner.store.journal.started(
      outputs[0]!,
      { definition: graph.definition[step]!, flags: recordFlags(graph, step) },
      new Map(outputs.map((node, index) => [node, digests[index]!])),
    );
    outputs.forEach((node, index) => {
      putOutput(
        observer,
        node,
        contents[index]!,
        digests[index]!,
        declaration.makes[index]!.mode,
        declaration.precious,
      );
      made.set(node, digests[index]!);
    });
    return;
  }
  const text = factText(result, declaration.name);
  const fact = outputs.at(-1)!;
  const digest = state.digest(digestOf(`value:${text}`), text);
  if (declaration.kind === "effect") {
    const marker = outputs[0]!;
    const bytes = Buffer.from(markerText(state, declaration.name, reads, text));
    const digest = state.digest(digestOf(bytes));
    putOutput(observer, marker, bytes, digest, 0, true);
    made.set(marker, digest);
  }
  state.observe(fact, digest);
  made.set(fact, digest);
}

/**
 * Refuses to replace a file that a person wrote: it was there before any build made it, and holds something
 * else.
 */
function keepForeign({ host, root, state, observer }: Session, node: NodeId, digest: DigestId): void {
  const current = observer.current(node);
  if (current <= Digest.special || current === digest || observer.wasMade(node)) {
    return;
  }
  const name = state.nodeName[node]!;
  const standing = host.gitStatus(root, name);
  if (standing !== "tracked" && standing !== "untracked") {
    return;
  }
  throw new ProblemError([
    {
      code: "DP236",
      location: { file: name },
      what: "a file that no build made stands where this target must be written",
      why: "git does not ignore it, so somebody may have written it",
      fix: "move it away, or build with --force; and put the target into .gitignore",
    },
  ]);
}

function putOutput(
  observer: Observer,
  node: NodeId,
  bytes: Uint8Array,
  digest: DigestId,
  mode: number,
  durable: boolean,
): void {
  const name = observer.state.nodeName[node]!;
  // The same bytes are not written again: the file keeps its times, and whoever watches it sees nothing.
  if (observer.current(node) === digest && (mode === 0 || observer.mode(node) === mode)) {
    return;
  }
  if (observer.current(node) === Digest.directory) {
    throw new ProblemError([
      {
        code: "DP224",
        location: { file: name },
        what: "a folder stands where this target must be written",
        fix: "move the folder away",
      },
    ]);
  }
  observer.put(node, { bytes, digest }, mode, durable);
}

/**
 * The marker of an effect: what was applied, with which prerequisites, and what came back. It holds no time,
 * so it is stable.
 */
function markerText(state: State, name: string, reads: DependencyRecorder, outputs: string): string {
  const prerequisites = [...reads.edges]
    .map(([node, digest]) => [state.nodeName[node]!, state.digests[digest]!] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify({ effect: name, prerequisites: Object.fromEntries(prerequisites), outputs: JSON.parse(outputs) as unknown }, null, 2)}\n`;
}

function bytesOf(content: unknown, name: string): Uint8Array {
  if (typeof content === "string") {
    return Buffer.from(content, "utf8");
  }
  if (content instanceof Uint8Array) {
    return content;
  }
  const got = content === undefined ? "nothing" : `a ${typeof content}`;
  throw new ProblemError([
    {
      code: "DP225",
      location: { file: name },
      what: `the recipe gave ${got} for this target`,
      fix: "give a string or bytes",
    },
  ]);
}

function factText(value: unknown, name: string): string {
  try {
    return canonicalJson(value);
  } catch (error) {
    throw new ProblemError([
      {
        code: "DP226",
        what: `${name}: ${(error as Error).message}`,
        why: "a fact is a JSON value",
        fix: "give plain values",
      },
    ]);
  }
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
      digest === Digest.directory ? "this prerequisite is a folder" : "this prerequisite is no regular file";
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

import { readFileSync } from "node:fs";
import { fullPath, putFile, removeFile } from "../disk/files.ts";
import { effectsBelow, isSameWorld, markerText, readMarker } from "./markers.ts";
import type { World } from "../graph/effect.ts";
import { canonicalJson, digestOf } from "../disk/digest.ts";
import { Digest, Kind, outputsOf, recordedOf, type DigestId, type NodeId, type StepId } from "../model.ts";
import type { Observer } from "../observe/observe.ts";
import { ProblemError } from "../../problem/index.ts";
import type { DependencyRecorder } from "./recorder.ts";
import type { Session } from "./session.ts";
import type { StepContext } from "./prepare.ts";

/** Puts what a recipe gave into place and notes the digest of each output in `made`. */
export function commitOutputs(
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
    if (declaration.precious) {
      outputs.forEach((node) => keepPrecious(session, node));
    }
    if (!runner.force) {
      outputs.forEach((node, index) => keepForeign(session, node, digests[index]!));
    }
    runner.store.journal.started(
      outputs[0]!,
      recordedOf(graph, step),
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
    const world = session.host.world(observer.settingsIfAny);
    keepOtherWorld(session, state.nodeName[marker]!, world);
    const after = effectsBelow(graph, step);
    const bytes = Buffer.from(markerText(state, declaration, world, after, reads, text));
    const markerDigest = state.digest(digestOf(bytes));
    putOutput(observer, marker, bytes, markerDigest, 0, true);
    made.set(marker, markerDigest);
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
  if (standing === "ignored") {
    return;
  }
  const isUnknown = standing === "unknown";
  throw new ProblemError([
    {
      code: "DP236",
      location: { file: name },
      what: "a file that no build made is in the way of this target",
      why: isUnknown
        ? "git does not say whether it ignores it (see git status), so somebody may have written it"
        : "git does not ignore it, so somebody may have written it",
      fix: `move it away, or build with --force${isUnknown ? "" : "; and put the target into .gitignore"}`,
    },
  ]);
}

/**
 * A link (to a vault, to a USB stick) or another special file in the place of what must be kept leads to the very
 * thing that must be kept: it does not count as missing, not even with --force.
 */
function keepPrecious({ state, observer }: Session, node: NodeId): void {
  if (observer.current(node) !== Digest.special) {
    return;
  }
  throw new ProblemError([
    {
      code: "DP245",
      location: { file: state.nodeName[node]! },
      what: "this is a link or a special file, and a precious target is a regular file",
      why: "a new one would take the place of what it leads to",
      fix: "put the file itself here, e.g. by cp --remove-destination",
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
        what: "a folder is in the way of this target",
        fix: "move the folder away",
      },
    ]);
  }
  observer.put(node, { bytes, digest }, mode, durable);
}

/** The marker of what was applied in another world is not overwritten: it is the only memory of it. */
function keepOtherWorld({ root, host, observer }: Session, file: string, world: World): void {
  const before = readMarker(root, file);
  if (before !== undefined && !isSameWorld(before.world, world)) {
    const kept = host.keptMarker(file, before.world);
    putFile(root, kept, readFileSync(fullPath(root, file)), 0, true, new Set());
    observer.forget(observer.state.node(Kind.file, kept));
  }
  // What this world had there is in its place again.
  removeFile(root, host.keptMarker(file, world));
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

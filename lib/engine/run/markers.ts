import { existsSync, readFileSync } from "node:fs";
import { fullPath } from "../disk/files.ts";
import { eachEdge } from "../state/edges.ts";
import type { State } from "../state/state.ts";
import {
  Kind,
  outputsOf,
  primary,
  RecordFlag,
  StepKind,
  stepsBelow,
  type Graph,
  type StepId,
} from "../model.ts";
import type { Declaration } from "../graph/declaration.ts";
import type { Marker, World } from "../graph/effect.ts";
import type { DependencyRecorder } from "./recorder.ts";

/**
 * The text of an effect's marker: what was applied where, with which prerequisites, and what came back. It
 * holds no time, so it is stable.
 */
export function markerText(
  state: State,
  { name, effect, version = "" }: Declaration,
  world: World,
  after: readonly string[],
  recorder: DependencyRecorder,
  outputs: string,
): string {
  const prerequisites = [...recorder.edges]
    .map(([node, digest]) => [state.nodeName[node]!, state.digests[digest]!] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const marker = {
    effect: name,
    kind: effect?.kind ?? "",
    name: effect?.name ?? name,
    version,
    world,
    after,
    prerequisites: Object.fromEntries(prerequisites),
    outputs: JSON.parse(outputs) as unknown,
  };
  return `${JSON.stringify(marker, null, 2)}\n`;
}

/** The marker in a file; undefined where there is none, or something else. */
export function readMarker(root: string, file: string): Marker | undefined {
  const path = fullPath(root, file);
  if (!existsSync(path)) {
    return undefined;
  }
  try {
    const marker = JSON.parse(readFileSync(path, "utf8")) as Partial<Marker> | null;
    return typeof marker?.effect === "string" &&
      typeof marker.world === "object" &&
      Array.isArray(marker.after)
      ? ({ kind: "", name: marker.effect, version: "", outputs: undefined, ...marker, file } as Marker)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The files of all markers that the graph declares or the state has on record. */
export function markerFiles(state: State, graph: Graph): string[] {
  const files = new Set<string>();
  for (let step = 0; step < graph.kind.length; step++) {
    if (graph.kind[step] === StepKind.effect) {
      files.add(state.nodeName[outputsOf(graph, step)[0]!]!);
    }
  }
  for (const { flags, outputs } of state.records.values()) {
    if ((flags & RecordFlag.effect) !== 0) {
      eachEdge(outputs, (node) => {
        if (state.nodeKind[node] === Kind.file) {
          files.add(state.nodeName[node]!);
        }
      });
    }
  }
  return [...files];
}

/** The nearest effects that a step needs, by their names, sorted. */
export function effectsBelow(graph: Graph, step: StepId): string[] {
  const names = new Set<string>();
  const seen = new Set<StepId>();
  const pending = [...stepsBelow(graph, step)];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    if (seen.has(below)) {
      continue;
    }
    seen.add(below);
    const name = graph.effectName[below]!;
    if (name === "") {
      pending.push(...stepsBelow(graph, below));
    } else {
      names.add(name);
    }
  }
  return [...names].sort();
}

/** Whether two effects were applied in the same world. */
export function isSameWorld(a: World, b: World): boolean {
  return Object.keys({ ...a, ...b }).every((key) => a[key] === b[key]);
}

/** The step that makes a marker, if the graph still declares it. */
export function declares(graph: Graph, state: State, file: string): StepId | undefined {
  const node = state.find(Kind.file, file);
  const step = node === undefined ? undefined : graph.maker[node];
  return step === undefined || step === 0 || primary(graph, step - 1) !== node ? undefined : step - 1;
}

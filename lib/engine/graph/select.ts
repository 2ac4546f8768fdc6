import { posix } from "node:path";
import { defaultSteps, Kind, makerOf, type Graph, type StepId } from "../model.ts";
import { didYouMean, ProblemError, shown } from "../../problem/index.ts";
import type { State } from "../state/state.ts";

/** Everything that can be named on the command line: groups, target files, facts, effects. */
export function targetNames(state: State, graph: Graph): string[] {
  const outputs = Array.from(graph.out, (node) => state.nodeName[node]!);
  return [...new Set([...graph.groups, ...outputs])];
}

/**
 * The steps that some names stand for, a folder for all that is made below it; all that a plain build makes if there
 * are no names. Throws a ProblemError (exit 2) with
 * every unknown name.
 */
export function selectSteps(state: State, graph: Graph, names: readonly string[]): Set<StepId> {
  if (names.length === 0) {
    return new Set(defaultSteps(graph));
  }
  const unknown: string[] = [];
  const steps = names.flatMap((name) => {
    const found = stepsNamed(state, graph, posix.normalize(name).replace(/\/$/, ""));
    if (found.length === 0) {
      unknown.push(name);
    }
    return found;
  });
  if (unknown.length === 0) {
    return new Set(steps);
  }
  const known = targetNames(state, graph);
  throw new ProblemError(
    unknown.map((name) => {
      const meant = didYouMean(name, known);
      return {
        code: "DP201",
        what: `there is no target ${shown(name)}`,
        fix: meant === undefined ? "dospesos list shows all targets" : `did you mean ${meant}?`,
      };
    }),
  );
}

function stepsNamed(state: State, graph: Graph, name: string): StepId[] {
  const group = graph.groups.indexOf(name);
  if (group >= 0) {
    return [...graph.groupMember.subarray(graph.groupStart[group], graph.groupStart[group + 1])];
  }
  for (const kind of [Kind.file, Kind.fact]) {
    const node = state.find(kind, name);
    const step = node === undefined ? undefined : makerOf(graph, node);
    if (step !== undefined) {
      return [step];
    }
  }
  const below = `${name}/`;
  const inFolder = Array.from(graph.out, (node) =>
    state.nodeName[node]!.startsWith(below) ? makerOf(graph, node) : undefined,
  );
  return [...new Set(inFolder.filter((step) => step !== undefined))];
}

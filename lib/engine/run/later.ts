import { stepsBelow, type Graph, type StepId } from "../model.ts";
import type { LaterEffect } from "./events.ts";
import { At } from "./step-state.ts";

/**
 * The pending effects that need these ones, or what these let go on, each with the nearest effect that it
 * needs.
 */
export function laterEffects(graph: Graph, at: ArrayLike<number>, held: readonly StepId[]): LaterEffect[] {
  const nearest = new Map<StepId, string>(held.map((step) => [step, graph.effectName[step]!]));
  const later: LaterEffect[] = [];
  for (let step = 0; step < at.length; step++) {
    if (at[step] !== At.pending) {
      continue;
    }
    const below = stepsBelow(graph, step).find((one) => nearest.has(one));
    if (below === undefined) {
      continue;
    }
    const after = nearest.get(below)!;
    const name = graph.effectName[step]!;
    nearest.set(step, name === "" ? after : name);
    if (name !== "") {
      later.push({ name, after });
    }
  }
  return later;
}

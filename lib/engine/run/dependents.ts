import { stepsBelow, type Graph, type StepId } from "../model.ts";
import { At } from "./step-state.ts";

export type Dependents = ReadonlyMap<StepId, readonly StepId[]>;

/** For each step the pending ones that need it, as often as they need something of it. */
export function dependentsOf(graph: Graph, at: ArrayLike<number>): Dependents {
  const dependents = new Map<StepId, StepId[]>();
  for (let step = 0; step < at.length; step++) {
    if (at[step] !== At.pending) {
      continue;
    }
    for (const below of stepsBelow(graph, step)) {
      const known = dependents.get(below);
      if (known === undefined) {
        dependents.set(below, [step]);
      } else {
        known.push(step);
      }
    }
  }
  return dependents;
}

/** The first step below that did not end well, or the step itself. */
export function blockedBy(graph: Graph, at: ArrayLike<number>, step: StepId): StepId {
  return stepsBelow(graph, step).find((below) => at[below] !== At.fresh && at[below] !== At.ran) ?? step;
}

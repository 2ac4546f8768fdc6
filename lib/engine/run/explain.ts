import { isFresh } from "../decide.ts";
import type { Reason } from "./events.ts";
import { closure, makerOf, stepsBelow, type Graph, type NodeId, type StepId } from "../model.ts";
import { reasonsFor, stepName } from "./reasons.ts";
import type { Session } from "./session.ts";

/**
 * `unknown`: nothing changed for the step itself, but a step below it is stale, and its result may be the
 * same or not.
 */
export type Freshness = "fresh" | "stale" | "unknown";

export interface Explanation {
  readonly step: StepId;
  readonly target: string;
  /** What a person calls it, where the step is an effect. */
  readonly effect?: string;
  readonly freshness: Freshness;
  /** Why it is stale, or for `unknown` which target below is. */
  readonly reasons: readonly Reason[];
}

/** What a build of these steps would find, in its order. Writes nothing and runs nothing. */
export function explain(session: Session, graph: Graph, steps: Iterable<StepId>): Explanation[] {
  const { state, observer } = session;
  const needed = closure(graph, steps);
  const notFresh = new Uint8Array(needed.length);
  const explanations: Explanation[] = [];
  const open = (node: NodeId): boolean => notFresh[makerOf(graph, node) ?? -1] === 1;
  for (let step = 0; step < needed.length; step++) {
    if (needed[step] === 0) {
      continue;
    }
    const reasons: Reason[] = isFresh(state, graph, step, observer, () => false)
      ? []
      : reasonsFor(state, graph, step, observer, open);
    const below = stepsBelow(graph, step).find((one) => notFresh[one] === 1);
    const unchanged = below === undefined ? "fresh" : "unknown";
    const freshness = reasons.length > 0 ? "stale" : unchanged;
    if (freshness !== "fresh") {
      notFresh[step] = 1;
    }
    if (freshness === "unknown") {
      reasons.push({ kind: "upstream", target: stepName(state, graph, below!) });
    }
    const effect = graph.effectName[step]!;
    explanations.push({
      step,
      target: stepName(state, graph, step),
      ...(effect === "" ? {} : { effect }),
      freshness,
      reasons,
    });
  }
  return explanations;
}

import type { Draft } from "./draft.ts";
import type { NodeId } from "../model.ts";
import { ProblemError } from "../../problem/index.ts";
import type { State } from "../state/state.ts";

/** Kahn's algorithm: no recursion, so a chain of any length is fine. */
export function topological(
  drafts: readonly Draft[],
  producer: ReadonlyMap<NodeId, Draft>,
  state: State,
): Draft[] {
  const waits = new Map<Draft, number>();
  const dependents = new Map<Draft, Draft[]>();
  for (const draft of drafts) {
    const below = new Set(draft.needs.flatMap((node) => producer.get(node) ?? []));
    waits.set(draft, below.size);
    for (const one of below) {
      const known = dependents.get(one);
      if (known === undefined) {
        dependents.set(one, [draft]);
      } else {
        known.push(draft);
      }
    }
  }
  const ordered = drafts.filter((draft) => waits.get(draft) === 0);
  for (let index = 0; index < ordered.length; index++) {
    for (const dependent of dependents.get(ordered[index]!) ?? []) {
      const left = waits.get(dependent)! - 1;
      waits.set(dependent, left);
      if (left === 0) {
        ordered.push(dependent);
      }
    }
  }
  if (ordered.length < drafts.length) {
    throw cycleProblem(
      drafts.filter((draft) => waits.get(draft)! > 0),
      producer,
      state,
    );
  }
  return ordered;
}

/**
 * Names one loop, in order. Every step that is left waits for another one that is left, so walking down must
 * come around.
 */
function cycleProblem(
  left: readonly Draft[],
  producer: ReadonlyMap<NodeId, Draft>,
  state: State,
): ProblemError {
  const stuck = new Set(left);
  const path = new Set<Draft>();
  let step = left[0]!;
  while (!path.has(step)) {
    path.add(step);
    step = step.needs
      .map((node) => producer.get(node))
      .find((below) => below !== undefined && stuck.has(below))!;
  }
  const loop = [...[...path].slice([...path].indexOf(step)), step].map(
    (draft) => state.nodeName[draft.outputs[0]!]!,
  );
  if (loop.length > 20) {
    loop.splice(10, loop.length - 20, `… (${loop.length - 20} more) …`);
  }
  return new ProblemError([
    {
      code: "DP234",
      what: `these targets need each other: ${loop.join(" → ")}`,
      why: "none of them could be made first",
      fix: "take one of the needs away",
    },
  ]);
}

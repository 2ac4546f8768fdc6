import type { Declaration, Glob, Group, Need, Needs, SourceFile, Step, Target } from "./declaration.ts";
import { fileName } from "../disk/files.ts";
import { Kind, type NodeId } from "../model.ts";
import { shown, type Problem } from "../../problem/index.ts";
import type { State } from "../state/state.ts";

/** Every step that can be reached from what is offered, and every group. */
export function collect(
  offered: readonly (Step<unknown> | Group)[],
  problems: Problem[],
): { steps: Set<Declaration>; groups: Map<string, Set<Declaration>> } {
  const steps = new Set<Declaration>();
  const groups = new Map<string, Set<Declaration>>();
  const named = new Map<string, Group>();
  const waiting: Declaration[] = [];
  const visit = (declaration: Declaration): void => {
    if (steps.has(declaration)) {
      return;
    }
    steps.add(declaration);
    waiting.push(declaration);
  };
  const gather = (group: Group, inside: readonly string[]): Declaration[] => {
    if (inside.includes(group.name)) {
      problems.push({
        code: "DP230",
        what: `group ${shown(group.name)} contains itself: ${[...inside, group.name].join(" → ")}`,
        fix: "take one of them out",
      });
      return [];
    }
    const other = named.get(group.name);
    named.set(group.name, group);
    if (other !== undefined && other !== group) {
      problems.push({
        code: "DP249",
        what: `two groups have the name ${shown(group.name)}`,
        why: "whoever builds it means one of them",
        fix: "rename one, or put the steps of both into one",
      });
    }
    const members = group.members.flatMap((one) =>
      one.kind === "group" ? gather(one, [...inside, group.name]) : [one.declaration],
    );
    groups.set(group.name, new Set([...(groups.get(group.name) ?? []), ...members]));
    return members;
  };
  for (const one of offered) {
    (one.kind === "group" ? gather(one, []) : [one.declaration]).forEach(visit);
  }
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const needed of neededSteps(next.needs)) {
      visit(needed);
    }
  }
  return { steps, groups };
}

function neededSteps(needs: Needs): Declaration[] {
  return singleNeeds(needs).flatMap((need) => {
    if (need.kind === "step") {
      return [need.declaration];
    }
    return need.kind === "target" ? [need.step.declaration] : [];
  });
}

export function outputNodes(state: State, root: string, declaration: Declaration): NodeId[] {
  const files = declaration.makes.map((one) => state.node(Kind.file, fileName(root, one.path)));
  // Who needs an effect needs what came back, not the marker's bytes: equal outputs then stop there.
  return declaration.kind === "rule" ? files : [...files, state.node(Kind.fact, declaration.name)];
}

/** The needs without the lists that hold them. */
function singleNeeds(needs: Needs): (Step<unknown> | Target | SourceFile | Glob)[] {
  const flat = (need: Need): (Step<unknown> | Target | SourceFile | Glob)[] =>
    Array.isArray(need) ? need.flatMap(flat) : [need as Step<unknown> | Target | SourceFile | Glob];
  return Object.values(needs).flatMap(flat);
}

export function needNodes(
  state: State,
  root: string,
  needs: Needs,
  outputs: (declaration: Declaration) => readonly NodeId[],
): NodeId[] {
  return singleNeeds(needs).flatMap((need) => {
    if (need.kind === "step") {
      return valueNodes(need.declaration, outputs(need.declaration));
    }
    if (need.kind === "glob") {
      return [state.node(Kind.glob, need.pattern)];
    }
    return [state.node(Kind.file, fileName(root, need.path))];
  });
}

/** What of a step's outputs its value consists of: its files, or only its fact. */
export function valueNodes(declaration: Declaration, outputs: readonly NodeId[]): readonly NodeId[] {
  return declaration.kind === "rule" ? outputs : outputs.slice(-1);
}

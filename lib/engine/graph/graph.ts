import type { Declaration, Glob, Group, Need, Needs, SourceFile, Step, Target } from "./declaration.ts";
import { digestOfList } from "../disk/digest.ts";
import { fileName } from "../disk/files.ts";
import {
  Kind,
  makerOf,
  makersOf,
  StepFlag,
  StepKind,
  type DigestId,
  type Edges,
  type Graph,
  type NodeId,
  type StepId,
} from "../model.ts";
import { ProblemError, shown, type SourceLocation, type Problem, type Code } from "../../problem/index.ts";
import { startsOf } from "../state/snapshot.ts";
import type { State } from "../state/state.ts";

export interface LoadedGraph {
  readonly graph: Graph;
  /** The declaration of each step. */
  readonly declarations: readonly Declaration[];
}

/** What a graph is made from. */
export interface GraphSource {
  readonly offered: readonly (Step<unknown> | Group)[];
  /** The digest of the code of a declaration. */
  code(declaration: Declaration): string;
  place(declaration: Declaration): SourceLocation | undefined;
  readonly edges: Edges;
}

interface Draft {
  readonly declaration: Declaration;
  readonly outputs: readonly NodeId[];
  needs: readonly NodeId[];
}

/**
 * Turns what a Dofile offers into columns. Throws a ProblemError (exit 2) with every wrong or doubled target
 * and every cycle.
 */
export function buildGraph(state: State, root: string, source: GraphSource): LoadedGraph {
  const problems: Problem[] = [];
  const { steps, groups } = collect(source.offered, problems);
  const drafts = new Map<Declaration, Draft>();
  const producer = new Map<NodeId, Draft>();
  const spelling = new Map<string, string>();
  const sources = new Set(Array.from(source.edges.nodes));
  if (state.settingsNode !== undefined) {
    sources.add(state.settingsNode);
  }
  for (const declaration of steps) {
    const nul = [declaration.name, ...declaration.makes.map((one) => one.path)].find((name) =>
      name.includes("\0"),
    );
    if (nul !== undefined) {
      problems.push(
        problemAt(
          source,
          declaration,
          "DP231",
          `target ${shown(nul)}: a name cannot hold NUL`,
          "name a file inside of the project",
        ),
      );
      continue;
    }
    const outputs = outputNodes(state, root, declaration);
    const draft: Draft = { declaration, outputs, needs: [] };
    drafts.set(declaration, draft);
    for (const node of outputs) {
      claim(state, source, draft, node, producer, spelling, problems);
      if (sources.has(node)) {
        problems.push(
          problemAt(
            source,
            declaration,
            "DP231",
            `target ${shown(state.nodeName[node]!)}: the Dofile is made of it`,
            "give the rule another target",
          ),
        );
      }
    }
  }
  for (const [node, draft] of producer) {
    const above =
      state.nodeKind[node] === Kind.file ? targetAbove(state, producer, state.nodeName[node]!) : undefined;
    if (above !== undefined) {
      problems.push(
        problemAt(
          source,
          draft.declaration,
          "DP235",
          `target ${shown(state.nodeName[node]!)} lies below the target ${shown(above)}`,
          "rename one of them",
        ),
      );
    }
  }
  for (const name of groups.keys()) {
    const node = [Kind.file, Kind.fact]
      .map((kind) => state.find(kind, name))
      .find((one) => one !== undefined && producer.has(one));
    if (node !== undefined) {
      problems.push(
        problemAt(
          source,
          producer.get(node)!.declaration,
          "DP238",
          `the group ${shown(name)} has the name of this target`,
          "rename the group",
        ),
      );
    }
  }
  if (problems.length > 0) {
    throw new ProblemError(problems);
  }
  for (const draft of drafts.values()) {
    const declared = needNodes(
      state,
      root,
      draft.declaration.needs,
      (declaration) => drafts.get(declaration)!.outputs,
    );
    draft.needs = [...new Set([...declared, ...draft.declaration.origin.captured])];
  }
  const ordered = topological([...drafts.values()], producer, state);
  return {
    graph: columns(state, source, ordered, groups),
    declarations: ordered.map((draft) => draft.declaration),
  };
}

/** The declarations of a graph's steps; undefined if they are not those that the graph was made from. */
export function declarationsFor(
  state: State,
  root: string,
  graph: Graph,
  offered: readonly (Step<unknown> | Group)[],
): readonly Declaration[] | undefined {
  const declarations: Declaration[] = [];
  let count = 0;
  for (const declaration of collect(offered, []).steps) {
    const step = makerOf(graph, outputNodes(state, root, declaration)[0]!);
    if (step === undefined || declarations[step] !== undefined) {
      return undefined;
    }
    declarations[step] = declaration;
    count++;
  }
  return count === graph.kind.length ? declarations : undefined;
}

/** Every step that can be reached from what is offered, and every group. */
function collect(
  offered: readonly (Step<unknown> | Group)[],
  problems: Problem[],
): { steps: Set<Declaration>; groups: Map<string, Set<Declaration>> } {
  const steps = new Set<Declaration>();
  const groups = new Map<string, Set<Declaration>>();
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
  return singleNeeds(needs).flatMap((need) =>
    need.kind === "step" ? [need.declaration] : need.kind === "target" ? [need.step.declaration] : [],
  );
}

function outputNodes(state: State, root: string, declaration: Declaration): NodeId[] {
  const files = declaration.makes.map((one) => state.node(Kind.file, fileName(root, one.path)));
  // Who needs an effect needs what came back, not the marker's bytes: equal outputs then stop there.
  return declaration.kind === "rule" ? files : [...files, state.node(Kind.fact, declaration.name)];
}

function claim(
  state: State,
  source: GraphSource,
  draft: Draft,
  node: NodeId,
  producer: Map<NodeId, Draft>,
  spelling: Map<string, string>,
  problems: Problem[],
): void {
  const name = state.nodeName[node]!;
  const isFile = state.nodeKind[node] === Kind.file;
  const bad = isFile ? badTarget(name) : name === "" ? "a fact needs a name" : undefined;
  if (bad !== undefined) {
    problems.push(
      problemAt(
        source,
        draft.declaration,
        "DP231",
        `target ${shown(name)}: ${bad}`,
        "name a file inside of the project",
      ),
    );
  }
  const other = producer.get(node);
  const folded = `${state.nodeKind[node]}${name.normalize("NFC").toLowerCase()}`;
  const twin = spelling.get(folded);
  if (other !== undefined) {
    const first = source.place(other.declaration);
    const where = first === undefined ? "" : ` (the other: ${first.file}:${first.line ?? 1})`;
    problems.push({
      ...problemAt(
        source,
        draft.declaration,
        "DP232",
        `two rules make ${shown(name)}${where}`,
        "give one of them another target",
      ),
      why: "each would undo the other's work",
    });
  } else if (isFile && twin !== undefined) {
    const what = `targets ${shown(twin)} and ${shown(name)} differ only in case or in how accents are written`;
    problems.push({
      ...problemAt(source, draft.declaration, "DP233", what, "rename one of them"),
      why: "on some file systems they are one file",
    });
  }
  producer.set(node, draft);
  spelling.set(folded, name);
}

function problemAt(
  source: GraphSource,
  declaration: Declaration,
  code: Code,
  what: string,
  fix: string,
): Problem {
  const place = source.place(declaration);
  return { code, ...(place === undefined ? {} : { location: place }), what, fix };
}

/** A target that would have to be a file and a folder. */
function targetAbove(state: State, producer: ReadonlyMap<NodeId, Draft>, name: string): string | undefined {
  for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) {
    const node = state.find(Kind.file, name.slice(0, end));
    if (node !== undefined && producer.has(node)) {
      return name.slice(0, end);
    }
  }
  return undefined;
}

function badTarget(name: string): string | undefined {
  if (name === "." || name.startsWith("/") || /^[A-Za-z]:/.test(name)) {
    return "it is not inside of the project";
  }
  if (/^(\.git|\.dospesos|node_modules)(\/|$)/.test(name)) {
    return "that folder belongs to another program";
  }
  if (name.split("/").some((part) => Buffer.byteLength(part) > 255)) {
    return "a part of it is longer than 255 bytes";
  }
  return undefined;
}

/** The needs without the lists that hold them. */
function singleNeeds(needs: Needs): (Step<unknown> | Target | SourceFile | Glob)[] {
  const flat = (need: Need): (Step<unknown> | Target | SourceFile | Glob)[] =>
    Array.isArray(need) ? need.flatMap(flat) : [need as Step<unknown> | Target | SourceFile | Glob];
  return Object.values(needs).flatMap(flat);
}

function needNodes(
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

/** Kahn's algorithm: no recursion, so a chain of any length is fine. */
function topological(drafts: readonly Draft[], producer: ReadonlyMap<NodeId, Draft>, state: State): Draft[] {
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

function columns(
  state: State,
  source: GraphSource,
  ordered: readonly Draft[],
  groups: ReadonlyMap<string, ReadonlySet<Declaration>>,
): Graph {
  const stepOf = new Map(ordered.map((draft, step) => [draft.declaration, step as StepId]));
  const members = [...groups.values()].map((declarations) =>
    [...declarations].map((one) => stepOf.get(one)!),
  );
  const outStart = startsOf(ordered.map((draft) => draft.outputs.length));
  const out = Uint32Array.from(ordered.flatMap((draft) => draft.outputs));
  return {
    kind: Uint8Array.from(ordered, ({ declaration }) => StepKind[declaration.kind]),
    flags: Uint8Array.from(ordered, ({ declaration }) => (declaration.precious ? StepFlag.precious : 0)),
    effectName: ordered.map(({ declaration }) => (declaration.kind === "effect" ? declaration.name : "")),
    definition: Uint32Array.from(ordered, (draft) => definition(state, source, draft)),
    outStart,
    out,
    outMode: Uint16Array.from(
      ordered.flatMap(({ declaration, outputs }) =>
        outputs.map((_, index) => declaration.makes[index]?.mode ?? 0),
      ),
    ),
    needStart: startsOf(ordered.map((draft) => draft.needs.length)),
    need: Uint32Array.from(ordered.flatMap((draft) => draft.needs)),
    groups: [...groups.keys()],
    groupStart: startsOf(members.map((list) => list.length)),
    groupMember: Uint32Array.from(members.flat()),
    edges: source.edges,
    maker: makersOf({ outStart, out }),
  };
}

/** Everything about a rule that is not a prerequisite: what it makes, how, and what it asks for. */
function definition(state: State, source: GraphSource, { declaration, outputs, needs }: Draft): DigestId {
  const makes = outputs.map(
    (node, index) => `${state.nodeKind[node]}${state.nodeName[node]} ${declaration.makes[index]?.mode ?? 0}`,
  );
  const asked = needs.map((node) => `${state.nodeKind[node]}${state.nodeName[node]}`).sort();
  const shape = JSON.stringify([
    declaration.kind,
    declaration.precious,
    Object.keys(declaration.needs),
    makes,
    asked,
  ]);
  return state.digest(digestOfList([shape, source.code(declaration)]));
}

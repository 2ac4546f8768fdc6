import { claim, problemAt, targetAbove } from "./targets.ts";
import { collect, outputNodes, needNodes } from "./needs.ts";
import { checkLinks } from "./links.ts";
import { topological } from "./order.ts";
import type { LoadedGraph, GraphSource, Draft } from "./draft.ts";
import type { Declaration, Group, Step } from "./declaration.ts";
import { digestOfList } from "../disk/digest.ts";
import {
  Kind,
  makerOf,
  makersOf,
  StepFlag,
  StepKind,
  type DigestId,
  type Graph,
  type NodeId,
  type StepId,
} from "../model.ts";
import { ProblemError, shown, type Problem } from "../../problem/index.ts";
import { startsOf } from "../state/snapshot.ts";
import type { State } from "../state/state.ts";

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
    state.settingsOthers.forEach((node) => sources.add(node));
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
    draft.needs = [...new Set([...declared, ...draft.declaration.origin.ambientReads])];
  }
  problems.push(...checkLinks(state, root, source, drafts.values(), producer));
  if (problems.length > 0) {
    throw new ProblemError(problems);
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
    flags: Uint8Array.from(
      ordered,
      ({ declaration: { precious, onDemand } }) =>
        (precious ? StepFlag.precious : 0) | (onDemand ? StepFlag.onDemand : 0),
    ),
    effectName: ordered.map(({ declaration }) => (declaration.kind === "effect" ? declaration.name : "")),
    definition: Uint32Array.from(ordered, (draft) => definition(state, source, draft)),
    needsDigest: Uint32Array.from(ordered, ({ needs }) => digestOfNeeds(state, needs)),
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

/** Everything about a rule that is not a prerequisite: what it makes, and how. */
function definition(state: State, source: GraphSource, { declaration, outputs }: Draft): DigestId {
  const makes = outputs.map(
    (node, index) => `${state.nodeKind[node]}${state.nodeName[node]} ${declaration.makes[index]?.mode ?? 0}`,
  );
  const shape = JSON.stringify([
    declaration.kind,
    declaration.precious,
    declaration.onDemand,
    Object.keys(declaration.needs),
    makes,
  ]);
  return state.digest(digestOfList([shape, source.code(declaration)]));
}

function digestOfNeeds(state: State, needs: readonly NodeId[]): DigestId {
  return state.digest(
    digestOfList(needs.map((node) => `${state.nodeKind[node]}${state.nodeName[node]}`).sort()),
  );
}

import type { GraphSource, Draft } from "./draft.ts";
import type { Declaration } from "./declaration.ts";
import { Kind, type NodeId } from "../model.ts";
import { shown, type Problem, type Code } from "../../problem/index.ts";
import type { State } from "../state/state.ts";

export function claim(
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
  const bad = isFile ? badTarget(name) : badFact(name);
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
    const first = source.location(other.declaration);
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

export function problemAt(
  source: GraphSource,
  declaration: Declaration,
  code: Code,
  what: string,
  fix: string,
): Problem {
  const location = source.location(declaration);
  return { code, ...(location === undefined ? {} : { location }), what, fix };
}

/** A target that would have to be a file and a folder. */
export function targetAbove(
  state: State,
  producer: ReadonlyMap<NodeId, Draft>,
  name: string,
): string | undefined {
  for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) {
    const node = state.find(Kind.file, name.slice(0, end));
    if (node !== undefined && producer.has(node)) {
      return name.slice(0, end);
    }
  }
  return undefined;
}

function badFact(name: string): string | undefined {
  return name === "" ? "a fact needs a name" : undefined;
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

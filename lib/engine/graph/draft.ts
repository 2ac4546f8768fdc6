import type { Declaration, Group, Step } from "./declaration.ts";
import type { Edges, Graph, NodeId } from "../model.ts";
import type { SourceLocation } from "../../problem/index.ts";

export interface LoadedGraph {
  readonly graph: Graph;
  /** The declaration of each step. */
  readonly declarations: readonly Declaration[];
}

/** What a graph is made from. */
export interface GraphSource {
  readonly offered: readonly (Step<unknown> | Group)[];
  /** The digest of the code of a declaration. */
  code: (declaration: Declaration) => string;
  location: (declaration: Declaration) => SourceLocation | undefined;
  readonly edges: Edges;
}

export interface Draft {
  readonly declaration: Declaration;
  readonly outputs: readonly NodeId[];
  needs: readonly NodeId[];
}

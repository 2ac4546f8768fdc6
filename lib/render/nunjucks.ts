import nunjucks from "nunjucks";

// nunjucks' own types leave out the parser, the compiler and the syntax tree: here are the parts of 3.2.4
// that rendering uses.

/** What every node of the syntax tree has. Lines and columns count from 0. */
interface NodeOf<T extends string> {
  readonly typename: T;
  readonly lineno: number;
  readonly colno: number;
}
interface ListOf<T extends string> extends NodeOf<T> {
  readonly children: readonly Node[];
}
interface Pair<T extends string> extends NodeOf<T> {
  readonly left: Node;
  readonly right: Node;
}

export type Literal = NodeOf<"Literal"> & { readonly value: string | number | boolean | null | RegExp };
export type Text = NodeOf<"TemplateData"> & { readonly value: string };
export type Name = NodeOf<"Symbol"> & { readonly value: string };
export type Lookup = NodeOf<"LookupVal"> & { readonly target: Node; readonly val: Node | null };
export type List = ListOf<"Root" | "NodeList" | "Output" | "Group" | "Array">;
export type If = NodeOf<"If"> & { readonly cond: Node; readonly body: Node; readonly else_: Node | null };
export type InlineIf = NodeOf<"InlineIf"> & {
  readonly cond: Node;
  readonly body: Node;
  readonly else_: Node | null;
};
export type For = NodeOf<"For"> & {
  readonly arr: Node;
  readonly name: Node;
  readonly body: Node;
  readonly else_: Node | null;
};
export type Include = NodeOf<"Include"> & { readonly template: Node; readonly ignoreMissing: boolean | null };
export type Filter = NodeOf<"Filter"> & { readonly name: Name; readonly args: List };
export type Compare = NodeOf<"Compare"> & {
  readonly expr: Node;
  readonly ops: readonly { readonly type: string; readonly expr: Node }[];
};
export type Not = NodeOf<"Not"> & { readonly target: Node };
export type Negative = NodeOf<"Neg" | "Pos"> & { readonly target: Node };
export type Binary = Pair<
  "Or" | "And" | "In" | "Concat" | "Add" | "Sub" | "Mul" | "Div" | "FloorDiv" | "Mod" | "Pow"
>;
/** What the parser knows and templates may not use. */
export type Refused = NodeOf<
  | "FunCall"
  | "Macro"
  | "Caller"
  | "Import"
  | "FromImport"
  | "Set"
  | "Capture"
  | "Block"
  | "Extends"
  | "Super"
  | "Switch"
  | "Is"
  | "IfAsync"
  | "AsyncEach"
  | "AsyncAll"
  | "Dict"
  | "KeywordArgs"
>;
export type Node =
  | Literal
  | Text
  | Name
  | Lookup
  | List
  | If
  | InlineIf
  | For
  | Include
  | Filter
  | Compare
  | Not
  | Negative
  | Binary
  | Refused;

type NodeClass = new (line: number, column: number, ...fields: unknown[]) => Node;

export interface Token {
  readonly type: string;
  readonly value: unknown;
  readonly lineno: number;
  readonly colno: number;
}
export interface Lexer {
  /** Where the next token begins: in the text, and as line and column. */
  readonly index: number;
  readonly lineno: number;
  readonly colno: number;
  nextToken: () => Token | null;
  /** Skips one UTF-16 unit. */
  forward: () => void;
}

/**
 * The function that the compiler makes of a template without blocks; it calls back once, before it returns.
 */
export type Root = (env: object, context: object, frame: object, runtime: object, done: Done) => void;
type Done = (error: unknown, text: unknown) => void;

interface Compiler {
  compile: (root: Node) => void;
  getCode: () => string;
}
interface Internals {
  readonly parser: { readonly Parser: new (lexer: Lexer) => { parseAsRoot: () => Node } };
  readonly lexer: { lex: (text: string) => Lexer };
  readonly compiler: { readonly Compiler: new (name: string, throwOnUndefined: boolean) => Compiler };
  readonly nodes: Readonly<Record<Node["typename"], NodeClass>>;
  readonly runtime: { readonly Frame: new () => object } & object;
}
const internals = nunjucks as unknown as Internals;

export function lex(text: string): Lexer {
  return internals.lexer.lex(text);
}

/**
 * The syntax tree of a lexer's tokens. Throws what nunjucks throws: a TemplateError with a place, or any
 * error without one.
 */
export function parse(lexer: Lexer): Node {
  return new internals.parser.Parser(lexer).parseAsRoot();
}

/** A new node at the place of another. */
export function make(typename: Node["typename"], at: Node, ...fields: unknown[]): Node {
  return new internals.nodes[typename](at.lineno, at.colno, ...fields);
}

export function compile(root: Node): Root {
  const compiler = new internals.compiler.Compiler("template", false);
  compiler.compile(root);
  const code = new Function(compiler.getCode()) as () => { readonly root: Root };
  return code().root;
}

export const runtime = internals.runtime;

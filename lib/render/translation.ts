import { problemText, type SourceLocation, type Problem } from "../problem/index.ts";
import { code } from "./codes.ts";
import type { Language } from "./language.ts";
import { make, type Node } from "./nunjucks.ts";
import { placed, type Operation } from "./operation.ts";

/** An output as its surroundings see it: where it stands, and what they decide about it. */
export interface Output {
  readonly location: SourceLocation;
  /** Shell only: behind `NAME=`, where a list may not stand. */
  assigned: boolean;
}

/** What the translation of a template and its includes collects. */
export class Translation {
  readonly language: Language;
  readonly problems: Problem[] = [];
  readonly operations: Operation[] = [];
  readonly outputs = new Map<Node, Output>();
  /** The file of every tag that parts the text's ways. */
  readonly files = new Map<Node, string>();
  #nodes = 0;
  #depth = 0;

  constructor(language: Language) {
    this.language = language;
  }

  /** Notes a problem, once: a template that is included twice has it twice. */
  report(problem: Problem): void {
    const text = problemText(problem);
    if (!this.problems.some((known) => problemText(known) === text)) {
      this.problems.push(problem);
    }
  }

  /**
   * A call of an operation. It takes the shape of a filter, because that is the one call that nunjucks
   * compiles with evaluated operands and without looking anything up in them.
   */
  call(
    at: Node,
    location: SourceLocation,
    subject: string,
    operation: Operation,
    operands: readonly Node[],
  ): Node {
    const name = String(this.operations.push(placed(location, subject, operation)) - 1);
    return make("Filter", at, make("Symbol", at, name), make("NodeList", at, [...operands]));
  }

  /**
   * What `translate` makes of a node, or `instead` once the template with its includes has grown or is nested
   * beyond reason.
   */
  within(location: SourceLocation, instead: Node, translate: () => Node): Node {
    if (++this.#nodes > MAX_NODES) {
      // told once: every further node of the tree would say the same
      const what = `the template with its includes has more than ${MAX_NODES} parts`;
      if (this.#nodes === MAX_NODES + 1) {
        this.#tooMuch(location, what);
      }
      return instead;
    }
    if (this.#depth >= MAX_DEPTH) {
      this.#tooMuch(location, `more than ${MAX_DEPTH} levels are nested`);
      return instead;
    }
    this.#depth++;
    try {
      return translate();
    } finally {
      this.#depth--;
    }
  }

  #tooMuch(location: SourceLocation, what: string): void {
    this.report({
      code: code.limit,
      location,
      what,
      fix: "compute the value in the rule, or loop over a list",
    });
  }
}

/**
 * Includes that include each other twice grow without end in a few lines; and the compiler's stack is not
 * endless.
 */
const MAX_NODES = 50_000;
const MAX_DEPTH = 200;

/** Where the translation is: the file, and the loop variables in sight. */
export interface Scope {
  readonly file: string;
  readonly loops: readonly string[];
}

export function placeOf(node: Node, scope: Scope): SourceLocation {
  return { file: scope.file, line: node.lineno + 1, column: node.colno + 1 };
}

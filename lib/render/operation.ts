import { locationText, ProblemError } from "../problem/index.ts";
import type { SourceLocation, Problem } from "../problem/index.ts";
import { code } from "./codes.ts";
import { Unwritable } from "./quote.ts";

/** What one render knows; operations get it as `this`. */
export interface Rendering {
  readonly values: Readonly<Record<string, unknown>>;
  /** How many more turns loops may make, and how many more characters may be written. */
  turnsLeft: number;
  charactersLeft: number;
}

/**
 * One operation of a compiled template: a lookup, a filter, a comparison. Its operands have been evaluated
 * before.
 */
export type Operation = (this: Rendering, ...operands: unknown[]) => unknown;

/** What failed in an operation that knows neither its place nor the name of its operand. */
export class Fault extends Error {
  readonly problem: Omit<Problem, "place">;
  constructor(problem: Omit<Problem, "place">) {
    super(problem.what);
    this.problem = problem;
  }
}

/**
 * The operation with its place in the template: its faults become problems there; a problem that a value
 * itself reports (a setting that does not exist) stays where it is, and says in `why` which template asked.
 */
export function placed(place: SourceLocation, subject: string, operation: Operation): Operation {
  return function (this: Rendering, ...operands: unknown[]): unknown {
    try {
      return operation.apply(this, operands);
    } catch (error) {
      if (error instanceof Fault) {
        throw new ProblemError([{ ...error.problem, location: place }]);
      }
      if (error instanceof Unwritable) {
        throw new ProblemError([
          { code: code.value, location: place, what: `${subject} ${error.message}`, fix: error.fix },
        ]);
      }
      if (error instanceof ProblemError) {
        throw new ProblemError(
          error.problems.map((problem) => askedFor(problem, place)),
          error.exitCode,
        );
      }
      throw error;
    }
  };
}

function askedFor(problem: Problem, place: SourceLocation): Problem {
  const asked = `asked for by ${locationText(place)}`;
  return { ...problem, why: problem.why === undefined ? asked : `${problem.why}; ${asked}` };
}

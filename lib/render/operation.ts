import { locationText, ProblemError, type SourceLocation, type Problem } from "../problem/index.ts";
import { code } from "./codes.ts";
import { UnquotableValue } from "./quote.ts";

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
export class TemplateError extends Error {
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
export function placed(location: SourceLocation, subject: string, operation: Operation): Operation {
  return function (this: Rendering, ...operands: unknown[]): unknown {
    try {
      return operation.apply(this, operands);
    } catch (error) {
      if (error instanceof TemplateError) {
        throw new ProblemError([{ ...error.problem, location }]);
      }
      if (error instanceof UnquotableValue) {
        throw new ProblemError([
          { code: code.value, location, what: `${subject} ${error.message}`, fix: error.fix },
        ]);
      }
      if (error instanceof ProblemError) {
        throw new ProblemError(
          error.problems.map((problem) => askedFor(problem, location)),
          error.exitCode,
        );
      }
      throw error;
    }
  };
}

function askedFor(problem: Problem, location: SourceLocation): Problem {
  const requested = `asked for by ${locationText(location)}`;
  return { ...problem, why: problem.why === undefined ? requested : `${problem.why}; ${requested}` };
}

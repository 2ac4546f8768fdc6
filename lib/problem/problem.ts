import { codes, type Code, type FailureExit } from "./codes.ts";
import { visible } from "./visible.ts";

/**
 * Where a problem stands. Lines and columns count from 1; `file` is relative to the project's root where it
 * is inside it.
 */
export interface SourceLocation {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/**
 * One thing that is wrong, in words that let a person put it right without reading the program. `what` is one
 * clause without a full stop; `why` says what would go wrong otherwise; `fix` says what to type.
 */
export interface Problem {
  /** Its row in the table of codes, e.g. "DP104"; a project's own code begins with X. */
  readonly code: Code | OwnCode;
  readonly location?: SourceLocation;
  readonly what: string;
  readonly why?: string;
  readonly fix?: string;
}

/** A code of a project's own rules, e.g. "X1". */
export type OwnCode = `X${string}`;

/** The one error class that is shown without a stack trace: it carries every problem that one run found. */
export class ProblemError extends Error {
  readonly problems: readonly Problem[];
  readonly exitCode: FailureExit;

  /** `exitCode` is for problems with a project's own codes; the registered ones know theirs. */
  constructor(problems: readonly Problem[], exitCode = exitOf(problems)) {
    super(problems.map(problemText).join("\n"));
    this.name = "ProblemError";
    this.problems = problems;
    this.exitCode = exitCode;
  }
}

/** `file:line:col`, as editors and terminals recognise it. */
export function locationText(location: SourceLocation): string {
  const line = location.line === undefined ? "" : `:${location.line}`;
  const column = location.line === undefined || location.column === undefined ? "" : `:${location.column}`;
  return `${location.file}${line}${column}`;
}

/** A problem as text: what, why, fix, a line each. Control and direction characters are shown as escapes. */
export function problemText(problem: Problem): string {
  return problemLines(problem).join("\n");
}

/** The same as lines. */
export function problemLines(problem: Problem): string[] {
  const head = problem.location === undefined ? "" : `${locationText(problem.location)}: `;
  const lines = [`${head}error ${problem.code}: ${problem.what}`];
  if (problem.why !== undefined) {
    lines.push(`  why: ${problem.why}`);
  }
  if (problem.fix !== undefined) {
    lines.push(`  fix: ${problem.fix}`);
  }
  return lines.map(visible);
}

/** What asks for most: a person (4) before settings (2) before a failed step (1). */
function exitOf(problems: readonly Problem[]): FailureExit {
  const exits = problems.map(({ code }) => (isRegistered(code) ? codes[code].exit : 1));
  return exits.reduce<FailureExit>((most, exit) => (exit > most ? exit : most), 1);
}

function isRegistered(code: string): code is Code {
  return Object.hasOwn(codes, code);
}

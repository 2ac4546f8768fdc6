/**
 * Where a problem stands. Lines and columns count from 1; `file` is relative to the project's root where it
 * is inside it.
 */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/**
 * One thing that is wrong, told so that a person can put it right without reading the program. `what` is one
 * clause without a full stop; `why` says what would go wrong otherwise; `fix` says what to type.
 */
export interface Problem {
  /** A stable name for documentation and searching, e.g. "DP104". */
  readonly code: string;
  readonly place?: Place;
  readonly what: string;
  readonly why?: string;
  readonly fix?: string;
}

/** 1: a step failed; 2: settings, Dofile or usage; 3: locked; 4: needs a person. */
export type FailureExit = 1 | 2 | 3 | 4;

/** The one error class that is shown without a stack trace: it carries every problem that one run found. */
export class ProblemError extends Error {
  readonly problems: readonly Problem[];
  readonly exitCode: FailureExit;

  constructor(problems: readonly Problem[], exitCode: FailureExit) {
    super(problems.map(problemText).join("\n"));
    this.name = "ProblemError";
    this.problems = problems;
    this.exitCode = exitCode;
  }
}

/** `file:line:col`, as editors and terminals recognise it. */
export function placeText(place: Place): string {
  const line = place.line === undefined ? "" : `:${place.line}`;
  const column = place.line === undefined || place.column === undefined ? "" : `:${place.column}`;
  return `${place.file}${line}${column}`;
}

/** A problem as text: what, why, fix, a line each. Control and direction characters are shown as escapes. */
export function problemText(problem: Problem): string {
  const head = problem.place === undefined ? "" : `${placeText(problem.place)}: `;
  const lines = [`${head}error ${problem.code}: ${problem.what}`];
  if (problem.why !== undefined) {
    lines.push(`  why: ${problem.why}`);
  }
  if (problem.fix !== undefined) {
    lines.push(`  fix: ${problem.fix}`);
  }
  return lines.map(visible).join("\n");
}

const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udfff](?<![\ud800-\udbff][\udc00-\udfff])(?![\udc00-\udfff])/g;

/**
 * The text with every character that a terminal would hide or obey (ANSI, bidirectional overrides, NUL) as \u
 * escapes.
 */
export function visible(text: string): string {
  return text.replace(HIDDEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A value for use inside a message: quoted, hidden characters escaped, cut at 120 characters. */
export function shown(value: string): string {
  const escaped = visible(value);
  return `"${escaped.length > 120 ? `${escaped.slice(0, 120)}…` : escaped}"`;
}

/**
 * The candidate that a person most likely meant (edit distance of at most a third of the word), or undefined.
 */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) {
      continue;
    }
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      [best, bestDistance] = [candidate, distance];
    }
  }
  return best;
}

/** Damerau's distance with adjacent transpositions (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(previous[j]! + 1, row[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, beforePrevious[j - 2]! + 1);
      }
      row.push(least);
    }
    [beforePrevious, previous] = [previous, row];
  }
  return previous[b.length]!;
}

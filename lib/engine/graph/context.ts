import type { FileValue } from "./file-value.ts";

/** Gives the contents of a rule's targets in order, or the value of a fact or an effect. */
export type Recipe = (needs: Readonly<Record<string, unknown>>, context: RecipeContext) => unknown;

/** What every recipe can do. All that it reads this way becomes a prerequisite of its step. */
export interface RecipeContext {
  /** The absolute path of the project's folder, for effects that keep files of their own in it. */
  readonly root: string;
  /**
   * A source file. Throws a ProblemError if there is none, or if another rule makes it and `needs` does not
   * say so.
   */
  read: (path: string) => FileValue;
  /** The same for a file that may be missing: its absence is a prerequisite too. */
  readIfExists: (path: string) => FileValue | undefined;
  /**
   * As readIfExists, for a file that the step's own work has just changed: its new content is what the step
   * was made from.
   */
  readAgain: (path: string) => FileValue | undefined;
  /** Source files that match a pattern of fast-glob, sorted by name; what rules make does not count. */
  glob: (pattern: string) => readonly FileValue[];
  env: (name: string) => string | undefined;
  /** One of the step's own targets as it is, for precious ones that must be kept. Not a prerequisite. */
  existing: (path: string) => FileValue | undefined;
  /** Runs a program (no shell) in the project's root and gives its standard output. Throws if it fails. */
  run: (program: string, args: readonly string[], input?: string) => Promise<string>;
  /** Says something to the person who builds. */
  note: (what: string) => void;
  /** Aborted when the build is interrupted. */
  readonly signal: AbortSignal;
}

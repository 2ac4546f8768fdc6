import type { SourceLocation } from "../../problem/index.ts";

/**
 * A file of keys and values whose every key is a prerequisite of its own. What the keys mean is not the
 * engine's business.
 */
export interface SettingsSource {
  /** Name of the file, relative to the root. */
  readonly file: string;
  /**
   * Reads, checks and parses the file. Throws a ProblemError (exit 2) with all problems, also if there is no
   * such file.
   */
  read: (path: string, shownAs: string) => { readonly bytes: Uint8Array; readonly settings: SettingsContent };
}

export interface SettingsContent {
  value: (key: string) => string | number | boolean | undefined;
  /** The names of all sections of a kind: `[core core-1]` is the core with the name core-1. */
  names: (kind: string) => readonly string[];
  locationOf: (key: string) => SourceLocation | undefined;
}

import type { SourceLocation } from "../../problem/index.ts";

/**
 * A file of keys and values whose every key is a prerequisite of its own, with other files that it draws on. What the
 * keys mean is not the engine's business.
 */
export interface SettingsSource {
  /** Name of the file, relative to the root. */
  readonly file: string;
  /**
   * Reads, checks and parses the file. `reading` is told the name of each other file, relative to the root, before it
   * is read, also of one that is not there. Throws a ProblemError (exit 2) with all problems, also if there is no
   * such file.
   */
  read: (path: string, shownAs: string, reading: (name: string) => void) => SettingsRead;
}

export interface SettingsRead {
  readonly bytes: Uint8Array;
  /** The bytes of the other files, by name. */
  readonly others: ReadonlyMap<string, Uint8Array>;
  readonly settings: SettingsContent;
}

export interface SettingsContent {
  value: (key: string) => string | number | boolean | undefined;
  /** The names of all sections of a kind: `[core core-1]` is the core with the name core-1. */
  names: (kind: string) => readonly string[];
  locationOf: (key: string) => SourceLocation | undefined;
}

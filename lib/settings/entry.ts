import type { Problem } from "../problem/index.ts";

/** Where something stands; a Place is made of it when it is reported. There may be 100,000 of these. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A position in one of the files that the settings are made of. */
export interface FilePosition extends Position {
  /** As it is called in messages. */
  readonly file: string;
}

/** One `key = value` as it is in the file; the value without its quotes, always a string. */
export interface Entry extends FilePosition {
  readonly key: string;
  readonly value: string;
  readonly valueColumn: number;
}

/** One section and everything that the file puts into it. */
export interface Section extends FilePosition {
  /** As the section is called in messages and keys: `aws`, `core core-1`. */
  readonly title: string;
  readonly kind: string;
  /** What follows the kind, unchecked; empty in `[aws]`. */
  readonly name: string;
  readonly nameColumn: number;
  /** By key in small letters, in the order of the file. */
  readonly entries: Map<string, Entry>;
  /** A line of the section was refused, so what seems to be missing may stand there. */
  broken: boolean;
}

export interface Scan {
  /** By title, its kind in small letters; in the order of the file. */
  readonly sections: ReadonlyMap<string, Section>;
  /** A section header was refused, so sections that seem to be missing may stand there. */
  readonly brokenHeader: boolean;
  readonly problems: readonly Problem[];
  /** The number of lines, at least 1. */
  readonly lines: number;
}

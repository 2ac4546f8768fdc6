import type { Refuse } from "./positions.ts";
import type { Output } from "../translation.ts";

/** The line that is being written, in a language in which an output ends its line. */
export interface Line {
  /**
   * Everything that the line may hold so far, one text for each way through the tags on it; an output is one
   * NUL.
   */
  readonly texts: readonly string[];
  /** The output on this line. */
  readonly last: Output | undefined;
}

export const NEW_LINE: Line = { texts: [""], last: undefined };
export const OUTPUT_MARK = "\0";

/** More ways through the tags of one line than these are not followed. */
const MAX_TEXTS = 16;

/** The line with more text, which has no line end; refuses the line's output if something follows it. */
export function lengthened(line: Line, text: string, refuse: Refuse, fix: string): Line {
  if (text === "") {
    return line;
  }
  if (line.last !== undefined) {
    refuse(line.last, "something follows it on its line", fix);
  }
  return { ...line, texts: line.texts.map((before) => before + text) };
}

/**
 * The line with an output at its end, which is refused for the reason given, if any, or else if something
 * follows it.
 */
export function withOutput(
  line: Line,
  output: Output,
  reason: string | undefined,
  refuse: Refuse,
  fix: string,
): Line {
  if (line.last !== undefined) {
    refuse(line.last, "another value follows it on its line", fix);
  } else if (reason !== undefined) {
    refuse(output, reason, fix);
  }
  return {
    texts: line.texts.map((before) => before + OUTPUT_MARK),
    last: reason === undefined ? output : undefined,
  };
}

/** One line for two ways to it; undefined if there are too many. */
export function metLine(a: Line, b: Line): Line | undefined {
  const texts = [...new Set([...a.texts, ...b.texts])];
  return texts.length > MAX_TEXTS ? undefined : { texts, last: a.last ?? b.last };
}

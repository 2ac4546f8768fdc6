import type { Output } from "../translation.ts";

/** Notes that an output stands where its quoting does not hold. */
export type Refuse = (output: Output, reason: string, fix: string) => void;

/**
 * Reads the literal text of a template like the reader of its output would, as far as needed to know where a
 * whole value may stand. States are values: every path through the template's tags is followed with one of
 * its own.
 */
export interface Positions<State> {
  readonly start: State;
  /** The state behind a piece of literal text. */
  text: (state: State, text: string) => State;
  /** The state behind an output; refuses it if it must not stand here. */
  output: (state: State, output: Output) => State;
  /**
   * One state for two paths that meet, or undefined if one of them is within quotes, say, and the other is
   * not.
   */
  meet: (a: State, b: State) => State | undefined;
}

import { visible } from "../problem/index.ts";
import type { Palette } from "./palette.ts";

/** How a piece of a line looks. */
export type Style = "bold" | "dim" | "green" | "red" | "yellow" | "banner";

/** A line for a person: plain text, and pieces with a style. */
export type Line = readonly (string | { readonly text: string; readonly style: Style })[];

/** A piece with a style. */
export function styled(style: Style, text: string): { readonly text: string; readonly style: Style } {
  return { style, text };
}

/**
 * The one door to the terminal. What comes from outside (a device, a file name, the holder of a lock) cannot
 * draw, move the cursor or turn the direction of text: every piece of every line is escaped here, and only the
 * styles are not.
 */
export function printLine(stream: NodeJS.WriteStream, line: Line, colors: Palette): void {
  write(stream, `${textOf(line, colors)}\n`);
}

/** A line as it is written, without its end. */
export function textOf(line: Line, colors: Palette): string {
  return line
    .map((piece) =>
      typeof piece === "string" ? visible(piece) : paint(piece.style, visible(piece.text), colors),
    )
    .join("");
}

/** One event as one line of JSON. Characters that a terminal would obey are \u escapes, which JSON reads back. */
export function printJson(stream: NodeJS.WriteStream, event: object): void {
  write(stream, `${visible(JSON.stringify(event))}\n`);
}

/** Takes lines back from a terminal: the cursor goes up and everything below it is cleared (ECMA-48 CUU, ED). */
export function eraseLines(stream: NodeJS.WriteStream, count: number): void {
  if (count > 0) {
    write(stream, `\u001b[${count}A\u001b[J`);
  }
}

function paint(style: Style, text: string, colors: Palette): string {
  return style === "banner" ? colors.black(colors.bgYellow(text)) : colors[style](text);
}

const unwritable = new WeakSet<NodeJS.WriteStream>();

/** Writes nothing to the stream from now on. Gives whether something was written to it until now. */
export function giveUp(stream: NodeJS.WriteStream): boolean {
  const wasWritten = !unwritable.has(stream);
  unwritable.add(stream);
  return wasWritten;
}

function write(stream: NodeJS.WriteStream, text: string): void {
  if (!stream.destroyed && !unwritable.has(stream)) {
    stream.write(text);
  }
}

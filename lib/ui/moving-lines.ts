import { visible } from "../problem/index.ts";
import type { Palette } from "./palette.ts";
import { eraseLines, printLine, type Line } from "./terminal.ts";

/**
 * What several jobs do at the same time, one line each. On a terminal the lines of the jobs that run are drawn
 * again as they change, below everything that was printed. Elsewhere each change is a line if there is one job;
 * of several only the ends are printed.
 */
export class MovingLines {
  readonly #stream: NodeJS.WriteStream;
  readonly #colors: Palette;
  readonly #running = new Map<string, string>();
  #names: readonly string[] = [];
  #drawn = 0;

  constructor(stream: NodeJS.WriteStream, colors: Palette) {
    this.#stream = stream;
    this.#colors = colors;
  }

  /** The jobs of which lines come. */
  begin(names: readonly string[]): void {
    this.#names = names;
  }

  /** What a job does now, or its last word. */
  update(name: string, text: string, isRunning: boolean, print: (line: Line) => void): void {
    const moves = (this.#names.length > 1 || name === "") && this.#stream.isTTY;
    if (!moves) {
      if (!isRunning || this.#names.length <= 1) {
        print(this.#line(name, text));
      }
      return;
    }
    if (isRunning) {
      this.#erase();
      this.#running.set(name, text);
      this.#draw();
    } else {
      this.#running.delete(name);
      print(this.#line(name, text));
    }
  }

  /** The lines that move go. */
  clear(): void {
    this.#erase();
    this.#running.clear();
  }

  /** A line that stays, above those that move. */
  print(line: Line): void {
    this.#erase();
    printLine(this.#stream, line, this.#colors);
    this.#draw();
  }

  /** Escaped here, since an escaped line is longer. */
  #line(name: string, text: string): readonly [string] {
    const width = Math.max(...this.#names.map((one) => one.length), name.length);
    return [name === "" ? visible(text) : `${name.padEnd(width)}  ${visible(text)}`];
  }

  #erase(): void {
    eraseLines(this.#stream, this.#drawn);
    this.#drawn = 0;
  }

  #draw(): void {
    // A line that the terminal breaks in two could not be drawn over, and more lines than it has would scroll
    // away.
    const shown = [...this.#running].slice(0, Math.max(1, (this.#stream.rows || 24) - 2));
    for (const [name, text] of shown) {
      const [line] = this.#line(name, text);
      printLine(this.#stream, [line.slice(0, (this.#stream.columns || 80) - 1)], this.#colors);
    }
    this.#drawn = shown.length;
  }
}

import { visible } from "../problem/index.ts";

/** What several jobs do at the same time, one line each. */
export interface Lines {
  update: (name: string, text: string) => void;
  /** The last word on one of them. */
  end: (name: string, text: string) => void;
}

/**
 * On a terminal the lines of the jobs that run are drawn again as they change, below those that have ended.
 * Elsewhere each change is a line if there is one job; of several only the ends are told.
 */
export function jobLines(
  stream: NodeJS.WriteStream,
  names: readonly string[],
  say: (line: string) => void,
): Lines {
  const width = Math.max(...names.map((name) => name.length));
  const line = (name: string, text: string): string => `${name.padEnd(width)}  ${visible(text)}`;
  if (names.length === 1 || !stream.isTTY) {
    return {
      update: (name, text) => (names.length === 1 ? say(line(name, text)) : undefined),
      end: (name, text) => say(line(name, text)),
    };
  }
  const running = new Map<string, string>();
  let drawn = 0;
  const clear = (): void => {
    if (drawn > 0) {
      stream.write(`\u001b[${drawn}A\u001b[J`);
    }
    drawn = 0;
  };
  const draw = (): void => {
    // A line that the terminal breaks in two could not be drawn over, and more lines than it has would scroll
    // away.
    const shown = [...running].slice(0, Math.max(1, (stream.rows || 24) - 2));
    for (const [name, text] of shown) {
      stream.write(`${line(name, text).slice(0, (stream.columns || 80) - 1)}\n`);
    }
    drawn = shown.length;
  };
  return {
    update(name, text) {
      clear();
      running.set(name, text);
      draw();
    },
    end(name, text) {
      clear();
      running.delete(name);
      say(line(name, text));
      draw();
    },
  };
}

import type { Problem } from "../problem/index.ts";
import type { CommandEvent } from "./events/index.ts";
import { eventLines, problemStyled } from "./event-text.ts";
import { MovingLines } from "./moving-lines.ts";
import type { Palette } from "./palette.ts";
import { Progress } from "./progress.ts";
import { printJson, printLine, styled, type Line } from "./terminal.ts";

/**
 * What writes to the terminal, but for the question of consent.ts and the one line of the nothing-to-do path.
 * Data (what a person asked for) goes to stdout, everything else to stderr.
 */
export type Screen = (event: CommandEvent) => void;

/** Steps that are reported one by one; of what is more, only the number. */
const MAX_STEPS = 40;

/**
 * What a person sees of a run: a line for each step that ran and why, problems as they come, one line at the
 * end. Once `interrupt` is aborted, what ran was stopped and did not fail, and what was not reached waits for
 * nobody: only the last line counts it.
 */
export function textScreen(colors: Palette, banner: () => string, interrupt: AbortSignal): Screen {
  const moving = new MovingLines(process.stderr, colors);
  const progress = new Progress(process.stderr.isTTY);
  let steps = 0;
  let bannerShown = false;
  const say = (line: Line): void => {
    if (!bannerShown && banner() !== "") {
      moving.print([
        styled("banner", ` ${banner()} `),
        " embedded sandbox account; no request leaves this machine",
      ]);
      bannerShown = true;
    }
    moving.print(line);
  };
  return (event) => {
    if (event.type === "push-begin") {
      moving.begin(event.cores);
      return;
    }
    if (event.type === "push") {
      moving.update(event.core, event.what, event.status === "running", say);
      return;
    }
    if (event.type === "begin") {
      progress.begin(event.steps, performance.now());
      return;
    }
    if (event.type === "step" && event.status !== "fresh") {
      const far = progress.step(event.effect ?? event.target, performance.now());
      if (event.status === "ran" && ++steps > MAX_STEPS) {
        if (steps === MAX_STEPS + 1) {
          say([styled("dim", "…")]);
        }
        if (far !== undefined) {
          moving.update("", far, true, say);
        }
        return;
      }
    }
    if (event.type === "end" || event.type === "plan") {
      moving.clear();
    }
    if (event.type === "end") {
      // A watch goes on: what the next batch makes is reported again.
      steps = 0;
    }
    const { answer = [], lines = [] } = eventLines(event, interrupt.aborted);
    for (const line of answer) {
      printLine(process.stdout, line, colors);
    }
    lines.forEach(say);
  };
}

/** The same run for programs: every event is one line of JSON on stdout; problems are on stderr as text, too. */
export function jsonScreen(colors: Palette): Screen {
  return (event) => {
    printJson(process.stdout, event);
    if (event.type === "problem") {
      for (const line of problemStyled(event.problem)) {
        printLine(process.stderr, line, colors);
      }
    }
  };
}

/** Reports several problems, in their order. */
export function reportProblems(screen: Screen, problems: readonly Problem[]): void {
  for (const problem of problems) {
    screen({ type: "problem", problem });
  }
}

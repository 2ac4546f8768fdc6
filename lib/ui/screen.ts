import type { Emit, EngineEvent } from "../engine/index.ts";
import { problemText, visible, type Problem } from "../problem/index.ts";
import type { Palette } from "./palette.ts";
import { reasonText } from "./reason-text.ts";

/**
 * What writes to the terminal, but for the question of consent.ts and the one line of the nothing-to-do path.
 * Data (what a person asked for) goes to stdout, everything else to stderr.
 */
export interface Screen {
  readonly emit: Emit;
  /** A line that is not an event. */
  say: (line: string) => void;
  /** A line of the answer itself. */
  answer: (line: string) => void;
  problems: (problems: readonly Problem[]) => void;
}

type StepEvent = Extract<EngineEvent, { type: "step" }>;

/** Steps that are told one by one; what is more is only counted. */
const LINES = 40;

/**
 * What a person sees of a run: a line for each step that ran and why, problems as they come, one line at the
 * end. Once `interrupt` is aborted, what ran was stopped and did not fail, and what was not reached waits for
 * nobody: only the last line counts it.
 */
export function textScreen(colors: Palette, banner: () => string, interrupt: AbortSignal): Screen {
  let lines = 0;
  let bannerShown = false;
  const say = (line: string): void => {
    if (!bannerShown && banner() !== "") {
      write(
        process.stderr,
        `${colors.black(colors.bgYellow(` ${banner()} `))} the account is the embedded one; nothing here reaches AWS`,
      );
    }
    bannerShown = true;
    write(process.stderr, line);
  };
  const problems = (list: readonly Problem[]): void =>
    list.forEach((problem) => say(problemColored(problem, colors)));
  const emit = (event: EngineEvent): void => {
    switch (event.type) {
      case "step":
        return step(event);
      case "problem":
        return problems([event.problem]);
      case "note":
        return say(`${colors.yellow("note")}     ${visible(event.what)}`);
      case "removed":
        return say(`${colors.dim("removed")}  ${visible(event.target)}`);
      case "lock-wait":
        return say(`${colors.dim("waiting")}  ${event.holder} works here`);
      case "plan":
        return plan(event);
      case "end":
        // A watch goes on: what the next batch makes is told again.
        lines = 0;
        return undefined;
    }
  };
  const step = (event: StepEvent): void => {
    const verb = verbOf(event);
    if (verb === undefined) {
      return;
    }
    lines++;
    if (lines > LINES && event.status === "ran") {
      return lines === LINES + 1 ? say(colors.dim("…")) : undefined;
    }
    const reasons = event.reasons.map(reasonText);
    const more = reasons.length > 2 ? ` (+${reasons.length - 2} more)` : "";
    say(
      `${verb}  ${visible(event.effect ?? event.target)}  ${colors.dim(`${reasons.slice(0, 2).join("; ")}${more}`)}`,
    );
  };
  /** How a step ended, or undefined where there is nothing to tell. */
  const verbOf = ({ status, effect, needsPerson }: StepEvent): string | undefined => {
    switch (status) {
      case "fresh":
        return undefined;
      case "ran":
        return colors.green(effect !== undefined ? "applied" : "made   ");
      case "failed":
        return interrupt.aborted ? colors.yellow("stopped") : colors.red("failed ");
      case "skipped":
        return needsPerson !== true || interrupt.aborted ? undefined : colors.yellow("waits  ");
    }
  };
  const plan = (event: Extract<EngineEvent, { type: "plan" }>): void => {
    for (const effect of event.effects) {
      say(`${colors.bold("plan")}     ${visible(effect.name)}`);
      for (const change of effect.changes) {
        say(`         ${visible(change)}`);
      }
    }
    for (const { name, after } of event.later ?? []) {
      say(`${colors.dim("later")}    ${visible(name)}  ${colors.dim(`planned after ${visible(after)}`)}`);
    }
  };
  return { emit, say, answer: (line) => write(process.stdout, line), problems };
}

/**
 * The same run for programs: every event is one line of JSON on stdout, and problems are told as text too.
 */
export function jsonScreen(colors: Palette): Screen {
  const print = (event: object): void => write(process.stdout, JSON.stringify(event));
  const say = (line: string): void => write(process.stderr, line);
  const problems = (list: readonly Problem[]): void => {
    for (const problem of list) {
      print({ type: "problem", problem });
      say(problemColored(problem, colors));
    }
  };
  return { emit: print, say: () => {}, answer: (line) => write(process.stdout, line), problems };
}

function problemColored(problem: Problem, colors: Palette): string {
  return problemText(problem).replace(/error (?=DP\d)/, (word) => colors.red(word));
}

/** A reader that went away (`| head`) is no error: the run goes on quietly. */
function write(stream: NodeJS.WriteStream, line: string): void {
  if (!stream.destroyed) {
    stream.write(`${line}\n`);
  }
}

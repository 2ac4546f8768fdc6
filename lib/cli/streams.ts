import { problemStyled } from "../ui/event-text.ts";
import { palette } from "../ui/palette.ts";
import { giveUp, printLine } from "../ui/terminal.ts";

/** What a run that ends well and whose answer could not be written ends with. */
const UNWRITTEN = 1;
const FIX = "free some space, or send the output elsewhere, and run again";

/**
 * Watches over stdout and stderr. A reader that went away (EPIPE: `| head`; EIO: its terminal was closed) is no
 * reason to fail. Anything else, e.g. a full disk below `> build.log`, loses what a person asked for: the stream
 * is given up, the other one says so once, and the run goes on to an orderly end. Gives the exit code for a run
 * that would end with another one.
 */
export function watchStreams(): (exit: number) => number {
  let failed = false;
  for (const [name, stream, other] of [
    ["stdout", process.stdout, process.stderr],
    ["stderr", process.stderr, process.stdout],
  ] as const) {
    stream.on("error", ({ code = "", message }: NodeJS.ErrnoException) => {
      const isFirst = giveUp(stream);
      if (code === "EPIPE" || code === "EIO") {
        return;
      }
      failed = true;
      // A write fails after the call that wrote: the run may have ended meanwhile.
      process.exitCode ||= UNWRITTEN;
      if (isFirst) {
        const problem = { code: "DP003", what: `${name} cannot be written: ${message}`, fix: FIX } as const;
        problemStyled(problem).forEach((line) => printLine(other, line, palette(false, false, {})));
      }
    });
  }
  return (exit) => (failed && exit === 0 ? UNWRITTEN : exit);
}

import picocolors from "picocolors";

export type Palette = ReturnType<typeof picocolors.createColors>;

/**
 * Colours for a stream. `--color` and `--no-color` win, then NO_COLOR (no-color.org), then FORCE_COLOR other
 * than 0, then whether the stream is a terminal that is not dumb.
 */
export function palette(
  wish: boolean | undefined,
  // isTTY of a pipe is undefined, and picocolors takes that for a question to answer by itself: by CI, too.
  isTerminal: boolean | undefined,
  environment: NodeJS.ProcessEnv,
): Palette {
  const forced = environment["FORCE_COLOR"];
  const colored =
    wish ??
    (!environment["NO_COLOR"] &&
      (forced !== undefined && forced !== ""
        ? forced !== "0"
        : isTerminal === true && environment["TERM"] !== "dumb"));
  return picocolors.createColors(colored);
}

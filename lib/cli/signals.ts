import { constants } from "node:os";

export interface Signals {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** 128 + the number of the signal that came, as shells count; undefined if none came. */
  readonly exitCode: number | undefined;
  stop(): void;
}

const NAMES = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The first signal asks the run to end in order; a second one ends the process at once. A vanished reader is no reason to fail. */
export function onSignals(): Signals {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const listeners = NAMES.map((name) => {
    const listener = (): void => {
      const again = exitCode !== undefined;
      exitCode = 128 + constants.signals[name];
      if (again) process.exit(exitCode);
      controller.abort();
    };
    process.on(name, listener);
    return [name, listener] as const;
  });
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // EIO: the terminal itself is gone.
      if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    });
  }
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    stop: () => {
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}

import { constants } from "node:os";
import { isatty } from "node:tty";

export interface Signals {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** 128 + the number of the signal that came, as shells count; undefined if none came. */
  readonly exitCode: number | undefined;
  stop: () => void;
  /** The last thing that a process does whose terminal was closed; does nothing in others. */
  leaveClosedTerminal: () => void;
}

const NAMES = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The first signal asks the run to end in order; a second one ends the process at once. */
export function onSignals(): Signals {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const atTerminal = [0, 1, 2].some((file) => isatty(file));
  const stop = (): void => {
    for (const [name, listener] of listeners) {
      process.off(name, listener);
    }
  };
  const leaveClosedTerminal = (): void => {
    if (exitCode !== 128 + constants.signals.SIGHUP || !atTerminal) {
      return;
    }
    // Node aborts (134) in an orderly exit when it cannot put back the modes of a terminal that is gone;
    // ended by the signal it is 129.
    stop();
    process.kill(process.pid, "SIGHUP");
  };
  const listeners = NAMES.map((name) => {
    const listener = (): void => {
      const again = exitCode !== undefined;
      exitCode = 128 + constants.signals[name];
      if (again) {
        leaveClosedTerminal();
        process.exit(exitCode);
      }
      controller.abort();
    };
    process.on(name, listener);
    return [name, listener] as const;
  });
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    stop,
    leaveClosedTerminal,
  };
}

import { ProblemError } from "../../problem/index.ts";

export interface Lock {
  release: () => void;
}

export interface LockOptions {
  /** What a run that waits shows of its holder, e.g. "dospesos build". */
  readonly command: string;
  readonly wait: boolean;
  /** Called once, with a text that names the holder. */
  readonly onWait: (holder: string) => void;
  /** Called where nothing can be locked, with the reason: two runs at a time are not kept apart then. */
  readonly onUnlockable: (why: string) => void;
  /** Ends the waiting: acquireLock then throws the signal's reason. */
  readonly signal: AbortSignal;
}

/** How a holder is named: its command, its process and since when it works. */
export function holderText(command: string): string {
  return `${command} (process ${process.pid}, since ${new Date().toTimeString().slice(0, 8)})`;
}

/** Throws where nobody waits, and says once who is waited for where somebody does. */
export function lockWaiter({ wait, onWait }: LockOptions): (holder: string) => void {
  let announced = false;
  return (holder) => {
    if (!wait) {
      throw new ProblemError([
        {
          code: "DP302",
          what: `another run works here: ${holder}`,
          fix: "wait for it, or run without --no-wait",
        },
      ]);
    }
    if (!announced) {
      onWait(holder);
    }
    announced = true;
  };
}

/** How long a program may take to end in order after SIGTERM, in milliseconds. */
const GRACE = 1000;

/**
 * Ends a program and all that it started when the signal is aborted: SIGTERM first, SIGKILL a second later.
 * The program must lead a process group of its own (spawned detached, POSIX only). Returns how to let go when
 * it has ended.
 */
export function endGroupOn(signal: AbortSignal, leader: number): () => void {
  const kill = (name: NodeJS.Signals): void => {
    try {
      process.kill(-leader, name);
    } catch {
      // The group has ended by itself.
    }
  };
  let grace: NodeJS.Timeout | undefined;
  const abort = (): void => {
    kill("SIGTERM");
    grace = setTimeout(() => kill("SIGKILL"), GRACE);
  };
  signal.addEventListener("abort", abort);
  if (signal.aborted) {
    abort();
  }
  return () => {
    clearTimeout(grace);
    signal.removeEventListener("abort", abort);
  };
}

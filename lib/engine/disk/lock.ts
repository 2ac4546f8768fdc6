import { refuseLinkedState } from "../state/store.ts";
import type { Lock, LockOptions } from "./lock-holder.ts";

export type { Lock } from "./lock-holder.ts";

/**
 * One writer for each project. The kernel releases the lock when its holder dies, however it dies, so there is
 * never a stale one and never a guess: flock(2) of .dospesos/lock, on Windows a named pipe. Throws a ProblemError
 * (exit 3) if it is held and `wait` is false, (exit 4) if .dospesos is a link. See docs/design/lock.md.
 */
export async function acquireLock(root: string, options: LockOptions): Promise<Lock> {
  refuseLinkedState(root);
  if (process.platform === "win32") {
    const { lockByPipe } = await import("./lock-pipe.ts");
    return lockByPipe(root, options);
  }
  const { lockByFile } = await import("./lock-file.ts");
  return lockByFile(root, options);
}

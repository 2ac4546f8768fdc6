import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { STATE_FOLDER } from "../state/store.ts";
import { holderText, lockWaiter, type Lock, type LockOptions } from "./lock-holder.ts";

const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
/** open(2) of macOS and the BSDs. */
const O_EXLOCK = 0x20;
const ASK_AGAIN = 50;

/** No more of the holder's name is read than this: whoever may write the project could have written it. */
const HOLDER_BYTES = 300;

/**
 * Locks .dospesos/lock by flock(2), which belongs to the open file and not to a process. Its owner alone may open
 * the file, so nobody else can hold it. The same lock holds for every Node, and for all containers and namespaces
 * that see the folder.
 */
export async function lockByFile(root: string, options: LockOptions): Promise<Lock> {
  const path = join(root, STATE_FOLDER, "lock");
  const announce = lockWaiter(options);
  const openLocked = process.platform === "linux" ? openThenLock : openAndLock;
  for (;;) {
    makeFolder(join(root, STATE_FOLDER));
    const file = await openLocked(path, options, announce);
    // A clean removes the folder while it holds the lock: what it held is no longer the project's.
    if (isStillAt(path, file)) {
      nameHolder(file, `${holderText(options.command)}\n`);
      return {
        release: () => {
          // Who comes next must not be taken for this one until its own name is there.
          nameHolder(file, "");
          closeSync(file);
        },
      };
    }
    closeSync(file);
  }
}

/** Linux: flock(1) locks the file that this process has opened, and ends; the lock stays with the open file. */
async function openThenLock(
  path: string,
  { signal, onUnlockable }: LockOptions,
  onHeld: (holder: string) => void,
): Promise<number> {
  const file = openSync(path, FLAGS, 0o600);
  try {
    let { exit, why } = flockNow(file, signal);
    if (exit === CONFLICT) {
      onHeld(holderIn(file));
      ({ exit, why } = await flock(file, signal));
    }
    if (exit !== 0) {
      onUnlockable(why);
    }
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** macOS and the BSDs: open(2) itself locks. Who waits asks again. */
async function openAndLock(
  path: string,
  { signal }: LockOptions,
  onHeld: (holder: string) => void,
): Promise<number> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return openSync(path, FLAGS | O_EXLOCK | constants.O_NONBLOCK, 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") {
        throw error;
      }
    }
    const file = openSync(path, FLAGS);
    try {
      onHeld(holderIn(file));
    } finally {
      closeSync(file);
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN));
  }
}

/** What flock(1) of util-linux and of busybox ends with where another process holds the lock. */
const CONFLICT = 1;

/** The file's descriptor in the child: the first one behind stdin, stdout and stderr. */
const INHERITED = 3;

interface Flocked {
  readonly exit: number;
  readonly why: string;
}

/**
 * Locks, or ends with CONFLICT. It blocks this process for a millisecond or two: behind a watcher that reads folders,
 * the end of a child would be noticed several times later.
 */
function flockNow(file: number, signal: AbortSignal): Flocked {
  for (;;) {
    signal.throwIfAborted();
    const {
      status,
      error,
      stderr,
      signal: ended,
    } = spawnSync("flock", ["-n", "-x", String(INHERITED)], {
      stdio: ["ignore", "ignore", "pipe", file],
      encoding: "utf8",
    });
    if (error !== undefined) {
      return withoutFlock(error);
    }
    // A Ctrl-C in a terminal reaches flock(1), too, and may end it before it is known here.
    if (ended !== "SIGINT") {
      return status === null ? { exit: -1, why: `flock(1) was ended by ${ended}` } : flocked(status, stderr);
    }
  }
}

const flocked = (exit: number, stderr: string): Flocked => ({
  exit,
  why: stderr.trim() || `flock(1) ended with exit code ${exit}`,
});

function withoutFlock(error: NodeJS.ErrnoException): Flocked {
  if (error.code === "ENOENT") {
    return { exit: -1, why: "flock(1) is not installed" };
  }
  throw error;
}

/** Waits in the kernel until the lock is to be had. */
function flock(file: number, signal: AbortSignal): Promise<Flocked> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn("flock", ["-x", String(INHERITED)], {
      stdio: ["ignore", "ignore", "pipe", file],
    });
    let stderr = "";
    child.stderr?.on("data", (piece: Buffer) => (stderr += piece.toString()));
    const stop = (): void => void child.kill();
    signal.addEventListener("abort", stop);
    child.on("error", (error: NodeJS.ErrnoException) => {
      signal.removeEventListener("abort", stop);
      try {
        resolve(withoutFlock(error));
      } catch {
        reject(error);
      }
    });
    child.on("close", (exit) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) {
        reject(signal.reason as Error);
      } else if (exit === null) {
        // As above.
        resolve(flock(file, signal));
      } else {
        resolve(flocked(exit, stderr));
      }
    });
  });
}

/** Makes the folder, but none above it: a project's folder may be away for a moment. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
  }
}

/** On a full disk the lock holds without a name. */
function nameHolder(file: number, holder: string): void {
  try {
    ftruncateSync(file);
    writeSync(file, holder, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") {
      throw error;
    }
  }
}

function holderIn(file: number): string {
  const bytes = Buffer.alloc(HOLDER_BYTES);
  const text = bytes.toString("utf8", 0, readSync(file, bytes, 0, HOLDER_BYTES, 0)).split("\n")[0]!;
  return text === "" ? "a run that has just begun" : text;
}

function isStillAt(path: string, file: number): boolean {
  const [there, ours] = [statSync(path, { throwIfNoEntry: false }), fstatSync(file)];
  return there !== undefined && there.dev === ours.dev && there.ino === ours.ino;
}

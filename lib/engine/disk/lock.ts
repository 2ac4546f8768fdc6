import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { ProblemError } from "../../problem/index.ts";
import { STATE_FOLDER } from "../state/store.ts";

export interface Lock {
  release: () => void;
}

export interface LockOptions {
  /** Told to who waits, e.g. "dospesos build". */
  readonly command: string;
  readonly wait: boolean;
  /** Called once, with a text that names the holder. */
  readonly onWait: (holder: string) => void;
  /** Ends the waiting: acquireLock then throws the signal's reason. */
  readonly signal: AbortSignal;
}

/**
 * A holder that is stopped (Ctrl-Z) or busy keeps the lock, but cannot tell its name: after so many
 * milliseconds that is reported.
 */
const ANSWER_WITHIN = 1000;
const NO_ANSWER = "a run that does not answer (stopped or busy)";

/**
 * One writer for each project. The lock is one that the kernel releases when its holder dies, however it
 * dies, so there is never a stale one and never a guess: on Linux an abstract Unix socket (unix(7)), on
 * Windows a named pipe, on macOS and the BSDs open(2) with O_EXLOCK. An abstract socket belongs to a network
 * namespace: runs in two containers do not see each other. Throws a ProblemError (exit 3) if it is held and
 * `wait` is false.
 */
export function acquireLock(root: string, options: LockOptions): Promise<Lock> {
  const { dev, ino } = statSync(root, { bigint: true });
  const name = `dospesos-${createHash("sha256").update(`${dev}:${ino}`).digest("hex").slice(0, 32)}`;
  if (process.platform === "linux") {
    return lockBySocket(`\0${name}`, options);
  }
  if (process.platform === "win32") {
    return lockBySocket(`\\\\.\\pipe\\${name}`, options);
  }
  return lockByFile(root, options);
}

async function lockBySocket(address: string, options: LockOptions): Promise<Lock> {
  for (let announced = false; ;) {
    const lock = await listen(address, holderText(options.command));
    if (lock !== undefined) {
      return lock;
    }
    // Whoever holds the lock answers with its name and keeps the connection: it closes when the lock is free
    // again.
    await untilFree(address, options.signal, (holder) => {
      if (!options.wait) {
        throw lockedProblem(holder);
      }
      if (!announced) {
        options.onWait(holder);
      }
      announced = true;
    });
  }
}

function listen(address: string, holder: string): Promise<Lock | undefined> {
  return new Promise((resolve, reject) => {
    const waiting = new Set<Socket>();
    const server: Server = createServer((socket) => {
      waiting.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => waiting.delete(socket));
      socket.unref();
      socket.write(`${holder}\n`);
    });
    server.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen(address, () => {
      server.unref();
      resolve({
        release: () => {
          server.close();
          for (const socket of waiting) {
            socket.destroy();
          }
        },
      });
    });
  });
}

function untilFree(address: string, signal: AbortSignal, onHolder: (holder: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let answer = "";
    const end = (settle: () => void): void => {
      clearTimeout(silence);
      signal.removeEventListener("abort", abort);
      socket.destroy();
      settle();
    };
    const report = (holder: string): void => {
      try {
        onHolder(holder);
      } catch (error) {
        end(() => reject(error instanceof Error ? error : new Error(String(error))));
      }
    };
    const abort = (): void => end(() => reject(signal.reason as Error));
    const silence = setTimeout(() => report(NO_ANSWER), ANSWER_WITHIN);
    socket.on("data", (piece) => {
      clearTimeout(silence);
      answer += piece.toString();
      if (answer.endsWith("\n")) {
        report(answer.trim());
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => end(resolve));
    signal.addEventListener("abort", abort);
    if (signal.aborted) {
      abort();
    }
  });
}

const O_EXLOCK = 0x20;
const O_NONBLOCK = 0x4;
const O_RDWR_CREAT = 0x2 | 0x200;

/** BSD systems: the open file itself is locked. Who waits has to ask again. */
async function lockByFile(root: string, options: LockOptions): Promise<Lock> {
  mkdirSync(join(root, STATE_FOLDER), { recursive: true });
  const path = join(root, STATE_FOLDER, "lock");
  for (let announced = false; ;) {
    try {
      const file = openSync(path, O_RDWR_CREAT | O_EXLOCK | O_NONBLOCK, 0o600);
      writeFileSync(file, holderText(options.command));
      return { release: () => closeSync(file) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") {
        throw error;
      }
    }
    const holder = readFileSync(path, "utf8");
    if (!options.wait) {
      throw lockedProblem(holder);
    }
    if (!announced) {
      options.onWait(holder);
    }
    announced = true;
    await new Promise((resolve) => setTimeout(resolve, 50));
    options.signal.throwIfAborted();
  }
}

function holderText(command: string): string {
  return `${command} (process ${process.pid}, since ${new Date().toTimeString().slice(0, 8)})`;
}

function lockedProblem(holder: string): ProblemError {
  return new ProblemError([
    {
      code: "DP302",
      what: `another run works here: ${holder}`,
      fix: "wait for it, or run without --no-wait",
    },
  ]);
}

import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { holderText, lockWaiter, type Lock, type LockOptions } from "./lock-holder.ts";

/**
 * A holder that is stopped (Ctrl-Z) or busy keeps the lock, but cannot tell its name: after so many
 * milliseconds that is reported.
 */
const ANSWER_WITHIN = 1000;
const NO_ANSWER = "a run that does not answer (stopped or busy)";

/** Locks a project on Windows: a named pipe belongs to the process that listens on it. */
export async function lockByPipe(root: string, options: LockOptions): Promise<Lock> {
  const { dev, ino } = statSync(root, { bigint: true });
  const name = createHash("sha256").update(`${dev}:${ino}`).digest("hex").slice(0, 32);
  const address = `\\\\.\\pipe\\dospesos-${name}`;
  const announce = lockWaiter(options);
  for (;;) {
    const lock = await listen(address, holderText(options.command));
    if (lock !== undefined) {
      return lock;
    }
    // Whoever holds the lock answers with its name and keeps the connection: it closes when the lock is free
    // again.
    await untilFree(address, options.signal, announce);
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

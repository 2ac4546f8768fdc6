import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";

/** The program as users start it. */
export const BIN = fileURLToPath(new URL("../../lib/cli/bin.cjs", import.meta.url));

export interface Ended {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Test runners force colours; a program that reads the output does not. */
export const PLAIN: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined };

/** Runs the program to its end. */
export function dospesos(cwd: string, ...words: string[]): Ended {
  return ran(cwd, process.execPath, [BIN, ...words]);
}

/** Runs any program to its end. */
export function ran(
  cwd: string,
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = PLAIN,
): Ended {
  const { status, signal, stdout, stderr } = spawnSync(program, words, {
    cwd,
    env,
    encoding: "utf8",
    timeout: 240_000,
    maxBuffer: 1 << 26,
  });
  return { exit: status, signal, stdout, stderr };
}

/** A program that runs beside the test: its output as it comes, and its end. */
export class Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = "";
  stderr = "";
  readonly #waiting = new Set<() => void>();

  constructor(cwd: string, program: string, words: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(program, words, { cwd, env: PLAIN, stdio: ["ignore", "pipe", "pipe"], ...options });
    started.add(this.child);
    // Whoever waits has a deadline of its own; a program that hangs must not keep the test from ending.
    this.child.unref();
    for (const pipe of [this.child.stdout, this.child.stderr]) {
      (pipe as Socket | null)?.unref();
    }
    this.child.stdout?.on("data", (piece: Buffer) => this.#note((this.stdout += piece.toString())));
    this.child.stderr?.on("data", (piece: Buffer) => this.#note((this.stderr += piece.toString())));
    this.ended = new Promise((resolve) =>
      this.child.on("close", (exit, signal) => {
        started.delete(this.child);
        resolve({ exit, signal, stdout: this.stdout, stderr: this.stderr });
      }),
    );
  }

  /** What was reported so far. */
  get told(): string {
    return this.stdout + this.stderr;
  }

  /**
   * Resolves when the output matches, from the given offset of `told` on; rejects after some milliseconds, or
   * if the program ends first.
   */
  async tells(what: RegExp, from = 0, within = 10_000): Promise<void> {
    await reached(
      () => what.test(this.told.slice(from)),
      (wake) => {
        this.#waiting.add(wake);
        void this.ended.then(wake);
        return () => this.#waiting.delete(wake);
      },
      within,
      () => `${what} was not reported:\n${this.told}`,
    );
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** The end of the program; rejects after some milliseconds. */
  async end(within = 10_000): Promise<Ended> {
    let over: Ended | undefined;
    await reached(
      () => over !== undefined,
      (wake) => {
        void this.ended.then((ended) => {
          over = ended;
          wake();
        });
        return () => {};
      },
      within,
      () => `the program did not end:\n${this.told}`,
    );
    return over!;
  }

  #note(_: string): void {
    for (const wake of this.#waiting) {
      wake();
    }
  }
}

export function start(cwd: string, ...words: string[]): Started {
  return new Started(cwd, process.execPath, [BIN, ...words]);
}

/**
 * By how much a deadline is longer on this machine than what a quiet one needs. A deadline only ends a test that
 * hangs, so it may be generous: it holds on two cores with a load of 16.
 */
const PATIENCE = Number(process.env["DOSPESOS_TEST_PATIENCE"] ?? 4);

/** Waits until something is so: asks again after each event; rejects when time is up. */
export async function reached(
  isSo: () => boolean,
  onEvent: (wake: () => void) => () => void,
  within: number,
  otherwise: () => string,
): Promise<void> {
  if (isSo()) {
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const stop = onEvent(() => {
      if (!isSo()) {
        return;
      }
      end();
      resolve();
    });
    const deadline = setTimeout(() => {
      end();
      reject(new Error(`after ${within * PATIENCE} ms: ${otherwise()}`));
    }, within * PATIENCE);
    const end = (): void => {
      clearTimeout(deadline);
      stop();
    };
  });
}

const started = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of started) {
    child.kill("SIGKILL");
  }
});

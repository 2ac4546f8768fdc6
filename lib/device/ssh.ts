import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Device } from "./device.ts";
import { connectionFailure, failure, noSsh } from "./ssh-failure.ts";

/** What is run on a device. */
export type Remote =
  /** By `sh -s`. The words are plain: values are checked before they come into it. */
  | { readonly script: string }
  /** A command with its input; parsed by whatever shell the user has there, so it is made of plain words only. */
  | { readonly command: string; readonly input: Readable }
  /** The same at the user's terminal. */
  | { readonly command: string; readonly input: "terminal" };

export interface Patience {
  /** How long nothing may come from the device, and nothing be taken by it, in milliseconds. */
  readonly silence: number;
  /** Each line that the device tells meanwhile. */
  readonly onLine?: (line: string) => void;
}

export interface Answer {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** These find a dead connection out; none of them changes what ssh trusts. */
const OPTIONS = ["-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"];

/** Bytes of an answer: a device that tells more than this tells nonsense. */
const MOST = 1 << 20;

/** How long what ssh wrote may take to arrive after its end, in milliseconds: another process may hold the pipe. */
const DRAIN = 500;

export function sshOptions({ interactive, control }: Device): string[] {
  return [
    ...(interactive ? [] : ["-o", "BatchMode=yes"]),
    ...(control === undefined ? [] : ["-o", "ControlMaster=no", "-o", `ControlPath=${control}`]),
    ...OPTIONS,
  ];
}

/**
 * Runs something on a device. Host keys are checked as the user's configuration says. What a login shell prints before
 * and after an answer of a script is not part of it. Throws a ProblemError where ssh itself fails, where the device is
 * silent for too long, and where it does not stop talking.
 */
export async function ssh(device: Device, remote: Remote, { silence, onLine }: Patience): Promise<Answer> {
  const { host, signal } = device;
  signal.throwIfAborted();
  const mark = `-- ${randomBytes(12).toString("hex")}`;
  const isTerminal = "input" in remote && remote.input === "terminal";
  const command = "script" in remote ? "sh -s" : remote.command;
  const stdio: StdioOptions = isTerminal ? "inherit" : ["pipe", "pipe", "pipe"];
  const child = spawn("ssh", [...sshOptions(device), isTerminal ? "-t" : "-T", "--", host, command], {
    stdio,
  });
  let why: "silent" | "endless" | undefined;
  const stop = (cause: typeof why): void => {
    why ??= cause;
    child.kill("SIGKILL");
  };
  const clock = isTerminal ? undefined : setTimeout(() => stop("silent"), silence);
  const alive = (): void => void clock?.refresh();
  const abort = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", abort);
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream, index) =>
    collect(stream, mark, {
      alive,
      endless: () => stop("endless"),
      ...(index === 0 && onLine !== undefined ? { onLine } : {}),
      isMarked: "script" in remote,
    }),
  ) as [Collected, Collected];
  feed(child, remote, mark, alive);
  try {
    const exit = await endOf(child, device);
    await Promise.race([
      Promise.all([stdout.ended, stderr.ended]),
      new Promise((resolve) => setTimeout(resolve, DRAIN)),
    ]);
    signal.throwIfAborted();
    if (why !== undefined) {
      throw failure(
        device,
        why === "silent" ? `${host} gave no answer for ${silence / 1000} s` : `${host} does not stop talking`,
        why === "silent"
          ? "something on the way or on the device hangs"
          : "an answer has less than a megabyte",
        `see what \`ssh ${host}\` does there`,
      );
    }
    if (exit === undefined || exit === 255) {
      throw connectionFailure(device, stderr.all());
    }
    return { exit, stdout: stdout.answer(), stderr: stderr.answer() };
  } finally {
    clearTimeout(clock);
    signal.removeEventListener("abort", abort);
    [child.stdin, child.stdout, child.stderr].forEach((stream) => stream?.destroy());
  }
}

/** The exit code of ssh; undefined where a signal ended it. Its pipes may be held by others, and are not waited for. */
async function endOf(child: ChildProcess, device: Device): Promise<number | undefined> {
  try {
    const [exit] = (await once(child, "exit")) as [number | null];
    return exit ?? undefined;
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "ENOENT" ? noSsh(device) : error;
  }
}

function feed({ stdin }: ChildProcess, remote: Remote, mark: string, alive: () => void): void {
  if (stdin === null) {
    return;
  }
  // Where the other side ends first its exit code says why.
  stdin.on("error", () => {});
  if ("script" in remote) {
    const tell = `echo '${mark}'; echo '${mark}' >&2`;
    stdin.end(`trap 'c=$?; ${tell.replaceAll("'", '"')}; exit $c' EXIT\n${tell}\n${remote.script}`);
  } else if (remote.input !== "terminal") {
    remote.input.on("data", alive);
    void pipeline(remote.input, stdin).catch(() => {});
  }
}

interface Collected {
  /** All that came. */
  all: () => string;
  /** What is between the marks; of what has none, all. */
  answer: () => string;
  readonly ended: Promise<unknown>;
}

interface Collecting {
  readonly alive: () => void;
  readonly endless: () => void;
  readonly onLine?: (line: string) => void;
  readonly isMarked: boolean;
}

function collect(
  stream: Readable | null,
  mark: string,
  { alive, endless, onLine, isMarked }: Collecting,
): Collected {
  let [text, told, marks] = ["", 0, 0];
  const tellLines = (): void => {
    for (let end = text.indexOf("\n", told); end >= 0; end = text.indexOf("\n", told)) {
      const line = text.slice(told, end).replace(/\r$/, "");
      told = end + 1;
      if (line.endsWith(mark)) {
        marks++;
      } else if (!isMarked || marks === 1) {
        onLine?.(line);
      }
    }
  };
  stream?.setEncoding("utf8");
  stream?.on("data", (piece: string) => {
    alive();
    text += piece;
    tellLines();
    if (text.length > MOST) {
      endless();
      stream.destroy();
    }
  });
  stream?.on("error", () => {});
  return {
    all: () => text,
    answer: () => {
      const parts = text.split(mark);
      return isMarked ? (parts[1] ?? "").replace(/^\r?\n/, "") : text;
    },
    ended: stream === null ? Promise.resolve() : new Promise((resolve) => stream.once("close", resolve)),
  };
}

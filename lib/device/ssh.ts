import { Readable } from "node:stream";
import { ProblemError, type SourceLocation } from "../problem/index.ts";

/** A device as the user's own ssh finds it. Port, key and jump host are in the user's ssh configuration. */
export interface Device {
  /** `[user@]host` or an alias, as [core NAME] host takes it. */
  readonly host: string;
  /** Where the host was written. */
  readonly location?: SourceLocation | undefined;
  /** Whether ssh and sudo may ask at the terminal; never while there are several devices. */
  readonly interactive: boolean;
  readonly signal: AbortSignal;
  /** How long a command may take, in milliseconds; as long as it takes if it is not set. */
  readonly timeoutMs?: number;
}

/** What ssh is given: bytes, "nothing", or the terminal. */
export type Input = { readonly text: string } | Readable | "nothing" | "terminal";

export interface Answer {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** These find a dead connection out; none of them changes what ssh trusts. */
const OPTIONS = ["-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"];

/**
 * Runs a command on a device. The command is parsed by whatever shell the user has there, so it is made of
 * plain words only; values go through `input`. Host keys are checked as the user's configuration says. Throws
 * a ProblemError where ssh itself fails.
 */
export async function ssh(
  device: Device,
  command: string,
  input: Input,
  onLine?: (line: string) => void,
): Promise<Answer> {
  const { execa } = await import("execa");
  const terminal = input === "terminal";
  const { timeoutMs = 0 } = device;
  const options = [
    ...(device.interactive ? [] : ["-o", "BatchMode=yes"]),
    ...OPTIONS,
    terminal ? "-t" : "-T",
  ];
  const child = execa("ssh", [...options, "--", device.host, command], {
    reject: false,
    cancelSignal: device.signal,
    timeout: timeoutMs,
    encoding: "utf8",
    stripFinalNewline: false,
    ...stdinOf(input),
    stdout: terminal ? "inherit" : "pipe",
    stderr: terminal ? "inherit" : "pipe",
  });
  if (input instanceof Readable && child.stdin !== null) {
    const { pipeline } = await import("node:stream/promises");
    // Where the other side ends first its exit code says why.
    void pipeline(input, child.stdin).catch(() => {});
  }
  if (onLine !== undefined && child.stdout !== null) {
    void eachLine(child.stdout, onLine);
  }
  const { exitCode, stdout = "", stderr = "", isCanceled, timedOut, code } = await child;
  if (isCanceled) {
    device.signal.throwIfAborted();
  }
  if (code === "ENOENT") {
    throw failure(device, "there is no ssh on PATH", "devices are reached by it", "install OpenSSH's client");
  }
  if (timedOut) {
    throw failure(
      device,
      `${device.host} gave no answer within ${timeoutMs / 1000} s`,
      "something on the way or on the device hangs",
      `see that \`ssh ${device.host}\` works`,
    );
  }
  if (exitCode === undefined || exitCode === 255) {
    throw connectionFailure(device, stderr);
  }
  return { exit: exitCode, stdout, stderr };
}

function stdinOf(
  input: Input,
): { readonly stdin: "inherit" | "pipe" | "ignore" } | { readonly input: string } {
  if (typeof input === "object" && "text" in input) {
    return { input: input.text };
  }
  if (input === "terminal") {
    return { stdin: "inherit" };
  }
  return { stdin: input === "nothing" ? "ignore" : "pipe" };
}

async function eachLine(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const { createInterface } = await import("node:readline");
  createInterface({ input: stream, crlfDelay: Infinity }).on("line", onLine);
}

function connectionFailure(device: Device, stderr: string): ProblemError {
  const { host } = device;
  if (stderr.includes("REMOTE HOST IDENTIFICATION HAS CHANGED")) {
    return failure(
      device,
      `the host key of ${host} is not the one that is known here`,
      "it may be another machine, which would get the private key of the core",
      `compare the fingerprints: on the device \`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\`, ` +
        `here what \`ssh ${host}\` shows; only if you know why it changed: ssh-keygen -R HOST`,
    );
  }
  if (stderr.includes("Host key verification failed")) {
    return failure(
      device,
      `the host key of ${host} is not known here`,
      "the bundle holds the private key of the core, and must not go to another machine",
      `\`ssh ${host}\` once at a terminal, and compare the fingerprint with the device's own`,
    );
  }
  const last = stderr.trim().split(/\r?\n/).at(-1) ?? "";
  if (/Permission denied/.test(stderr)) {
    return failure(
      device,
      `${host} lets nobody in: ${last}`,
      "the bundle goes over your own ssh",
      `see that \`ssh ${host}\` works${device.interactive ? "" : " without a question (a key in your agent)"}`,
    );
  }
  return failure(
    device,
    `no connection to ${host}${last === "" ? "" : `: ${last}`}`,
    "the bundle goes over your own ssh",
    `see that \`ssh ${host}\` works, then push again: it resumes where it stopped`,
  );
}

export function failure(
  { location }: Pick<Device, "location">,
  what: string,
  why: string,
  fix: string,
): ProblemError {
  return new ProblemError([
    { code: "DP620", ...(location === undefined ? {} : { location }), what, why, fix },
  ]);
}

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Device } from "./device.ts";
import { sshOptions } from "./ssh.ts";
import { connectionFailure, failure, noSsh } from "./ssh-failure.ts";

/** How long a connection may take where nobody is asked for a password, in milliseconds. */
const PATIENCE = 60_000;
/** Bytes that the path of a socket may have (unix(7): 108), with what ssh appends until it listens. */
const LONGEST_SOCKET = 80;

/**
 * Gives the body a device to which one connection is there, so that a password is asked for once (ssh_config(5),
 * ControlMaster). Where the user's configuration has a connection to share, that is used; where ssh cannot share one,
 * each command has its own. Throws a ProblemError where there is no connection.
 */
export async function connected<T>(device: Device, body: (device: Device) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "dp-"));
  const control = join(folder, "c");
  try {
    if (process.platform === "win32" || control.length > LONGEST_SOCKET || sharesAlready(device)) {
      return await body(device);
    }
    return await withMaster(device, folder, control, body);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether the user's own configuration has a socket for this host. */
function sharesAlready({ host }: Device): boolean {
  const { stdout, error } = spawnSync("ssh", ["-G", "--", host], { encoding: "utf8", timeout: 10_000 });
  return error === undefined && /^controlpath (?!none$)/m.test(stdout);
}

async function withMaster<T>(
  device: Device,
  folder: string,
  control: string,
  body: (device: Device) => Promise<T>,
): Promise<T> {
  const { host, interactive, signal } = device;
  const words = [...sshOptions(device), "-o", "ControlMaster=yes", "-o", "ControlPersist=no", "-S", control];
  // Of who is not asked anything it leads a session of its own: a Ctrl-C leaves it there to tidy up by.
  const master = spawn("ssh", [...words, "-N", "-T", "--", host], {
    stdio: [interactive ? "inherit" : "ignore", "ignore", "pipe"],
    detached: !interactive,
  });
  let stderr = "";
  master.stderr?.setEncoding("utf8").on("data", (piece: string) => {
    stderr = (stderr + piece).slice(-10_000);
  });
  const ended = once(master, "exit");
  ended.catch(() => {});
  const stop = new AbortController();
  const clock = interactive ? undefined : setTimeout(() => stop.abort("silent"), PATIENCE);
  const abort = (): void => stop.abort("aborted");
  signal.addEventListener("abort", abort);
  try {
    const state = await Promise.race([
      listens(folder, control, stop.signal).then(() => "listens" as const),
      ended.then(() => "ended" as const),
    ]).catch((error: unknown) => {
      throw (error as NodeJS.ErrnoException).code === "ENOENT" ? noSsh(device) : error;
    });
    signal.throwIfAborted();
    if (stop.signal.aborted) {
      throw failure(
        device,
        `${host} gave no answer for ${PATIENCE / 1000} s`,
        "something on the way or on the device hangs",
        `see that \`ssh ${host}\` works`,
      );
    }
    if (state === "ended") {
      throw connectionFailure(device, stderr);
    }
    clearTimeout(clock);
    return await body({ ...device, control });
  } finally {
    clearTimeout(clock);
    signal.removeEventListener("abort", abort);
    stop.abort("over");
    master.kill("SIGTERM");
    master.stderr?.destroy();
  }
}

/** Resolves when ssh listens at its socket, which it does once somebody was let in; or when it is stopped. */
function listens(folder: string, socket: string, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder);
    const end = (): void => {
      watcher.close();
      resolve();
    };
    watcher.on("change", () => existsSync(socket) && end());
    stop.addEventListener("abort", end);
    if (existsSync(socket) || stop.aborted) {
      end();
    }
  });
}

/** The same device for a last word after an interrupt: nobody is asked, and it does not take long. */
export function forLastWord(device: Device): Device {
  return { ...device, interactive: false, signal: AbortSignal.timeout(10_000) };
}

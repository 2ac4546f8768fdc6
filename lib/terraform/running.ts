import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../file/index.ts";
import { workFolder, type ModuleInstance } from "./module-instance.ts";

/** A Terraform process of ours, as noted before anything can go wrong. */
export interface Running {
  readonly command: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Absent in the moment between the note and the start. */
  readonly process?: { readonly id: number; readonly started: string };
}

const file = (instance: ModuleInstance): string => join(workFolder(instance), "running.json");

/** Exists from the start of an apply or destroy until one has come to a good end. */
const unfinishedFile = (instance: ModuleInstance): string => join(workFolder(instance), "unfinished.json");

export function noteRunning(instance: ModuleInstance, running: Running): void {
  replaceFile(file(instance), `${JSON.stringify(running)}\n`, { mode: 0o600 });
}

/** What was noted of a process whose end was not noted: it works still, or this program was killed. */
export function notedRunning(instance: ModuleInstance): Running | undefined {
  return read<Running>(file(instance));
}

export function forgetRunning(instance: ModuleInstance): void {
  rmSync(file(instance), { force: true });
}

/**
 * A change in the account begins. What is on record of an earlier one that was interrupted stays: its leftovers may
 * still be there.
 */
export function noteChange(instance: ModuleInstance): void {
  if (unfinishedChange(instance) === undefined) {
    replaceFile(unfinishedFile(instance), `${JSON.stringify({ since: Date.now() })}\n`, { mode: 0o600 });
  }
}

/**
 * Since when (milliseconds since 1970) there has been no change that came to a good end; undefined if the
 * last one did.
 */
export function unfinishedChange(instance: ModuleInstance): number | undefined {
  return read<{ since: number }>(unfinishedFile(instance))?.since;
}

export function changeIsDone(instance: ModuleInstance): void {
  rmSync(unfinishedFile(instance), { force: true });
}

function read<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch {
    return undefined; // none, or cut while it was written, which is before anything began
  }
}

/**
 * When the process began, as its system counts, or undefined if there is none: together with its id that
 * tells it from a later one with the same id. On Linux ticks since boot (proc(5), stat field 22); elsewhere
 * what ps prints.
 */
export async function startOf(id: number): Promise<string | undefined> {
  if (process.platform === "linux") {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      // A zombie has ended; its parent has not yet asked how.
      return fields[0] === "Z" ? undefined : `${fields[19]} ${bootId()}`;
    } catch {
      return undefined;
    }
  }
  const { execa } = await import("execa");
  const { stdout, exitCode } = await execa("ps", ["-o", "lstart=", "-p", String(id)], { reject: false });
  return exitCode === 0 && stdout.trim() !== "" ? stdout.trim() : undefined;
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Whether the process that was noted works still. */
export async function isAlive({ process: one }: Running): Promise<boolean> {
  return one !== undefined && (await startOf(one.id)) === one.started;
}

/**
 * Resolves when the process has ended. Nobody reports the end of a process that is no child: it is asked for.
 */
export async function ended(running: Running, signal: AbortSignal): Promise<void> {
  while (await isAlive(running)) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

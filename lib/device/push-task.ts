import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Device } from "./device.ts";

/** What goes to a device, and what is done with it there. */
export interface Push {
  readonly core: string;
  readonly device: Device;
  /** The bundle's archive on this machine. */
  readonly archive: LocalFile;
  /**
   * The zip of the nucleus, named greengrass-<version>.zip; undefined where the settings leave it to somebody
   * else.
   */
  readonly nucleus: LocalFile | undefined;
  /** Options for setup.sh. */
  readonly options: readonly string[];
  /** Tells how far it is, in a few words. */
  readonly report: (what: string) => void;
  /** Tells what a person has to know afterwards, too. */
  readonly note: (what: string) => void;
}

/**
 * The folder on the device, below the home of the user who logs in, that what is sent lies in until it is
 * installed.
 */
export const FOLDER = ".dospesos";

export interface LocalFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

export function localFile(path: string): LocalFile {
  const bytes = readFileSync(path);
  return { path, name: basename(path), bytes, sha256: digest(bytes) };
}

export const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

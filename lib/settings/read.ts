import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { otherWriters } from "../file/index.ts";
import { type Problem, ProblemError } from "../problem/index.ts";
import { exampleCommand } from "./example.ts";
import { faults, problem } from "./faults.ts";
import { withCoreDefaults } from "./core-defaults.ts";
import { parseSettings, type SettingsFile } from "./parse.ts";

/** The largest settings file, in bytes. */
const LARGEST = 1024 * 1024;

/**
 * Reads and checks a settings file. `shownAs` is its name in messages. Throws ProblemError (exit code 2):
 * before reading, for a file over 1 MiB or one that others can write; then as parseSettings does.
 */
export function readSettings(path: string, shownAs: string): { bytes: Uint8Array; settings: SettingsFile } {
  const bytes = readChecked(path, shownAs);
  return { bytes, settings: withCoreDefaults(parseSettings(bytes, shownAs), dirname(path)) };
}

function readChecked(path: string, shownAs: string): Uint8Array {
  const handle = open(path, shownAs);
  try {
    const stats = fstatSync(handle);
    const problems = wrongs(stats, path, shownAs);
    if (problems.length > 0) {
      throw new ProblemError(problems);
    }
    return contents(handle, stats.size);
  } finally {
    closeSync(handle);
  }
}

function open(path: string, shownAs: string): number {
  try {
    // without waiting: a FIFO would wait for its writer
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const location = { file: shownAs };
    if (reason !== "ENOENT") {
      throw new ProblemError([problem(faults.unreadable, location, `cannot be read (${reason})`)]);
    }
    const fix = `${faults.missingFile.fix} with: ${exampleCommand(shownAs)}`;
    throw new ProblemError([problem(faults.missingFile, location, "there is no such file", { fix })]);
  }
}

function wrongs(stats: Stats, path: string, shownAs: string): readonly Problem[] {
  const location = { file: shownAs };
  if (!stats.isFile()) {
    return [problem(faults.notAFile, location, "is not a regular file")];
  }
  const found: Problem[] = [];
  if (stats.size > LARGEST) {
    found.push(
      problem(
        faults.largeFile,
        location,
        `the file is ${stats.size.toLocaleString("en-US")} bytes; limit 1 MiB`,
      ),
    );
  }
  const writers = otherWriters(stats, dirname(path));
  if (writers !== undefined) {
    const what = `${writers.who} can write this file: others can change what runs as root; ${writers.fix}`;
    found.push(problem(faults.othersCanWrite, location, what, { fix: `${writers.fix} ${shownAs}` }));
  }
  return found;
}

function contents(handle: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const read = readSync(handle, bytes, length, size - length, null);
    if (read === 0) {
      break;
    }
    length += read;
  }
  return bytes.subarray(0, length);
}

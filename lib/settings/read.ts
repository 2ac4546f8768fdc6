import { closeSync, constants, existsSync, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { otherWriters } from "../file/index.ts";
import { type Problem, ProblemError } from "../problem/index.ts";
import { exampleCommand } from "./example.ts";
import { faults, problem } from "./faults.ts";
import { withCoreDefaults } from "./core-defaults.ts";
import { parseSettings, type SettingsFile } from "./parse.ts";

/** The largest settings file, in bytes, and the largest inventory. */
const MAX_BYTES = 1024 * 1024;
const MAX_INVENTORY_BYTES = 16 * MAX_BYTES;

/** The settings as they were read: the bytes of the first file, and of all others that belong to it. */
export interface ReadSettings {
  readonly bytes: Uint8Array;
  readonly others: ReadonlyMap<string, Uint8Array>;
  readonly settings: SettingsFile;
}

/**
 * Reads and checks a settings file, with the one of the environment over it and the inventories that both name.
 * `shownAs` is its name in messages; `reading` is told the name of each other file before it is read. Throws
 * ProblemError (exit code 2): before reading, for a file that is too large or one that others can write; then as
 * parseSettings does.
 */
export function readSettings(
  path: string,
  shownAs: string,
  environment = "",
  reading: (name: string) => void = () => {},
): ReadSettings {
  const bytes = readChecked(path, shownAs, MAX_BYTES);
  const root = dirname(path);
  const others = new Map<string, Uint8Array>();
  const read = (name: string, limit: number): Uint8Array => {
    reading(name);
    const content = readChecked(join(root, name), name, limit);
    others.set(name, content);
    return content;
  };
  const name = environmentFile(shownAs, environment);
  if (environment !== "" && !existsSync(join(root, name))) {
    const what = `there is no such file, so there is no environment ${environment}`;
    const fix = `write the keys that differ from ${shownAs} into it, e.g. [aws] account`;
    throw new ProblemError([problem(faults.missingFile, { file: name }, what, { fix })]);
  }
  const settings = parseSettings(bytes, shownAs, {
    ...(environment === "" ? {} : { overlay: { file: name, bytes: read(name, MAX_BYTES) } }),
    read: (inventory) => {
      if (!existsSync(join(root, inventory))) {
        reading(inventory);
        return { fault: `there is no ${inventory}` };
      }
      return read(inventory, MAX_INVENTORY_BYTES);
    },
  });
  return { bytes, others, settings: withCoreDefaults(settings, root) };
}

/** The settings of an environment, over those of a file: settings.prod.ini for settings.ini. */
export function environmentFile(file: string, environment: string): string {
  return file.replace(/\.ini$/, `.${environment}.ini`);
}

function readChecked(path: string, shownAs: string, limit: number): Uint8Array {
  const handle = open(path, shownAs);
  try {
    const stats = fstatSync(handle);
    const problems = wrongs(stats, path, shownAs, limit);
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

function wrongs(stats: Stats, path: string, shownAs: string, limit: number): readonly Problem[] {
  const location = { file: shownAs };
  if (!stats.isFile()) {
    return [problem(faults.notAFile, location, "is not a regular file")];
  }
  const found: Problem[] = [];
  if (stats.size > limit) {
    found.push(
      problem(
        faults.largeFile,
        location,
        `the file is ${stats.size.toLocaleString("en-US")} bytes; limit ${limit / MAX_BYTES} MiB`,
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

import {
  existsSync,
  futimesSync,
  mkdirSync,
  lstatSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  type Stats,
} from "node:fs";
import { basename, dirname, isAbsolute, join, posix, relative, sep } from "node:path";
import { digestOf } from "./digest.ts";
import { replaceFile } from "../../file/index.ts";
import { ProblemError } from "../../problem/index.ts";
import { isCoarse } from "./ticks.ts";

/**
 * Suffix of the temporary file that is beside an output while it is written. Only the holder of the lock
 * makes one.
 */
export const TEMPORARY_SUFFIX = ".dospesos-tmp";

/** A part of the path is empty, `.` or `..`: it is absolute, ends with `/`, or is not the shortest one. */
const UNUSUAL = /(^|\/)\.{0,2}(\/|$)/;

/**
 * The name of a file as the engine uses it: relative to the root with `/`, or absolute if it is outside.
 * `./x`, `a/../x` and the absolute path of x are one name.
 */
export function fileName(root: string, path: string): string {
  if (sep === "/" && !UNUSUAL.test(path)) {
    return path;
  }
  const full = isAbsolute(path) ? path : join(root, path);
  const inside = relative(root, full);
  const outside = inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  const name = outside ? full : inside || ".";
  return sep === "/" ? name : name.split(sep).join(posix.sep);
}

/**
 * The name of a file by the real path of its folder: links to folders on its way are followed, the file itself may
 * be one. The part of the way that does not exist yet stays as it is. `known`: folders that were looked at before.
 */
export function realName(root: string, name: string, known = new Map<string, string>()): string {
  const folder = dirname(fullPath(root, name));
  const real = realFolder(folder, known);
  return real === folder ? name : fileName(realFolder(root, known), join(real, basename(name)));
}

/** Looks at each folder of a path once: most are no links, and of those realpath(3) would look at all again. */
function realFolder(folder: string, known: Map<string, string>): string {
  let real = known.get(folder);
  if (real === undefined) {
    const above = dirname(folder);
    const realAbove = above === folder ? above : realFolder(above, known);
    real = realAbove === above ? folder : join(realAbove, basename(folder));
    const stat = look(real, false);
    if (stat !== undefined && stat !== "loop" && stat.isSymbolicLink()) {
      real = existsSync(real) ? realpathSync(real) : real;
    }
    known.set(folder, real);
  }
  return real;
}

export function fullPath(root: string, name: string): string {
  return isAbsolute(name) ? name : `${root}/${name}`;
}

/**
 * The stat of a file, or undefined where there is none; a loop of links counts as none of a kind that can be
 * read.
 */
export function look(path: string, followLinks: boolean): Stats | "loop" | undefined {
  try {
    return (followLinks ? statSync : lstatSync)(path, { throwIfNoEntry: false });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR") {
      return undefined;
    }
    if (code === "ELOOP") {
      return "loop";
    }
    throw error;
  }
}

/**
 * Puts content at an output's place so that a reader sees the old file or the new one. Never writes through a
 * link. The file gets an mtime that no clock tick has, so that a later write in place always changes it.
 * `folders` remembers those that this run has made and found to be inside of the project. Gives the file's
 * new stat, and whether the file system kept its times coarsely.
 */
export function putFile(
  root: string,
  name: string,
  content: Uint8Array,
  mode: number,
  durable: boolean,
  folders: Set<string>,
): { stat: Stats; coarse: boolean } {
  const path = fullPath(root, name);
  const folder = dirname(path);
  const makeFolder = (): void => makeFolderFor(root, name, isPrivate(mode) ? 0o700 : 0o777);
  const replace = (): Stats =>
    replaceFile(path, content, {
      mode,
      durable,
      temporary: temporaryBeside(path),
      prepare: (file) => {
        const moment = unrepeatableMoment();
        futimesSync(file, moment, moment);
      },
    });
  if (!folders.has(folder)) {
    makeFolder();
  }
  folders.add(folder);
  let stat: Stats;
  try {
    stat = replace();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw error;
    }
    // The folder was removed while the build runs.
    makeFolder();
    stat = replace();
  }
  return { stat, coarse: isCoarse(stat.mtimeMs) };
}

export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${digestOf(basename(path)).slice(0, 16)}${TEMPORARY_SUFFIX}`);
}

/**
 * Seconds since the epoch, just before now, with a fraction of a millisecond that kernel clocks do not stop
 * at.
 */
function unrepeatableMoment(): number {
  return (Date.now() - 1 + 0.001 + Math.random() * 0.998) / 1000;
}

/** Nobody but the owner may read it: a folder that is made for it is private, too. */
function isPrivate(mode: number): boolean {
  return mode !== 0 && (mode & 0o077) === 0;
}

function makeFolderFor(root: string, name: string, mode: number): void {
  const folder = dirname(fullPath(root, name));
  try {
    mkdirSync(folder, { recursive: true, mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST" && code !== "ENOTDIR") {
      throw error;
    }
    throw new ProblemError([
      {
        code: "DP211",
        location: { file: name },
        what: "a file is in the way of this target's folder",
        fix: `move the file away: ${fileName(root, folder)}`,
      },
    ]);
  }
  if (isInside(root, folder)) {
    return;
  }
  throw new ProblemError([
    {
      code: "DP212",
      location: { file: name },
      what: `a link leads this target's folder out of the project, to ${realpathSync(folder)}`,
      why: "a build changes nothing outside the working copy",
      fix: "replace the link by a folder",
    },
  ]);
}

/** Whether a link leads from a file that exists out of the project. */
export function leadsOut(root: string, name: string): boolean {
  const path = fullPath(root, name);
  return existsSync(path) && !isInside(root, path);
}

/** Whether a folder that exists is in the project when all links are followed. */
function isInside(root: string, folder: string): boolean {
  const inside = relative(realpathSync(root), realpathSync(folder));
  return inside !== ".." && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

/**
 * Removes a built file, then the folders above it that are empty now, up to the root. Returns false, and
 * removes nothing, where a link leads its folder anywhere else: what is there was not built under this name.
 */
export function removeFile(root: string, name: string): boolean {
  const path = fullPath(root, name);
  if (!existsSync(dirname(path)) || isAbsolute(name) || realName(root, name) !== name) {
    return false;
  }
  rmSync(path, { force: true });
  for (let folder = dirname(path); folder.length > root.length; folder = dirname(folder)) {
    try {
      rmdirSync(folder);
    } catch {
      break; // not empty, or a link
    }
  }
  return true;
}

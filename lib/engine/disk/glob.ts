import {
  existsSync,
  lstatSync,
  readdirSync,
  realpathSync,
  statSync,
  type Dirent,
  type PathLike,
  type Stats,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileName, TEMPORARY_SUFFIX } from "./files.ts";
import { ProblemError } from "../../problem/index.ts";
import { STATE_FOLDER } from "../state/store.ts";

const NEVER = ["**/node_modules/**", "**/.git/**", `**/${STATE_FOLDER}/**`, `**/.*${TEMPORARY_SUFFIX}`];

/**
 * Names of the files below the root that match a pattern of fast-glob, sorted. A leading dot must be written
 * to be matched. `visit` is given each folder before it is read, and each link: the answer holds as long as
 * none of them changes.
 */
export function findFiles(root: string, pattern: string, visit: (folder: string) => void): readonly string[] {
  let hasLinks = false;
  const readdir = (path: string, options?: { withFileTypes: true }): string[] | Dirent[] => {
    visit(fileName(root, path));
    // Two links that lead to a folder above them make a tree of 2^40 folders.
    if (hasLinks && isBelowItself(root, path)) {
      return [];
    }
    if (options === undefined) {
      return readdirSync(path);
    }
    const entries = readdirSync(path, options);
    // Whether a link is a match depends on what it leads to, which its folder does not show.
    for (const entry of entries) {
      if (!entry.isSymbolicLink()) {
        continue;
      }
      hasLinks = true;
      visit(fileName(root, join(path, entry.name)));
    }
    return entries;
  };
  // A pattern without wildcards is not searched but looked up: then its folder tells whether the answer
  // holds.
  const lookUp =
    (stat: (path: PathLike) => Stats) =>
    (path: PathLike): Stats => {
      visit(fileName(root, dirname(String(path))));
      return stat(path);
    };
  const fs = {
    readdirSync: readdir as typeof readdirSync,
    lstatSync: lookUp(lstatSync) as typeof lstatSync,
    statSync: lookUp(statSync) as typeof statSync,
  };
  // Loaded by the first pattern: it takes as long as looking at 5,000 files.
  const fastGlob = createRequire(import.meta.url)("fast-glob") as typeof import("fast-glob");
  const names = [...new Set(fastGlob.sync(pattern, { cwd: root, ignore: NEVER, fs }))].sort();
  refuseNoUtf8(root, names);
  return names;
}

/** Node shows bytes of a name that are no UTF-8 as U+FFFD, and finds no file by it. */
function refuseNoUtf8(root: string, names: readonly string[]): void {
  const bad = names.filter((name) => name.includes("\ufffd") && !existsSync(join(root, name)));
  if (bad.length > 0) {
    throw new ProblemError(
      bad.map((name) => ({
        code: "DP251",
        location: { file: name },
        what: "the name of this file is not UTF-8",
        why: "it cannot be read by that name, and the glob would be without it",
        fix: "rename it, e.g. by convmv",
      })),
    );
  }
}

/** Whether a folder was reached through itself, by a link. */
function isBelowItself(root: string, path: string): boolean {
  const real = realpathSync(path);
  for (let above = dirname(path); above.length >= root.length; above = dirname(above)) {
    if (realpathSync(above) === real) {
      return true;
    }
  }
  return false;
}

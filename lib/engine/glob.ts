import { lstatSync, readdirSync, statSync, type Dirent, type PathLike, type Stats } from "node:fs";
import { dirname } from "node:path";
import fastGlob from "fast-glob";
import { fileName, TEMPORARY_SUFFIX } from "./files.ts";
import { STATE_FOLDER } from "./store.ts";

const NEVER = ["**/node_modules/**", "**/.git/**", `**/${STATE_FOLDER}/**`, `**/.*${TEMPORARY_SUFFIX}`];

export interface Found {
  /** Names of the files that match, sorted. */
  readonly files: readonly string[];
  /** Names of the folders that were read to find them: the answer holds as long as none of them changes. */
  readonly folders: readonly string[];
}

/** Files below the root that match a pattern of fast-glob. A leading dot must be written to be matched. */
export function findFiles(root: string, pattern: string): Found {
  const folders = new Set<string>();
  const readdir = (path: string, options?: { withFileTypes: true }): string[] | Dirent[] => {
    folders.add(fileName(root, path));
    return options === undefined ? readdirSync(path) : readdirSync(path, options);
  };
  // A pattern without wildcards is not searched but looked up: then its folder tells whether the answer holds.
  const lookUp = (stat: (path: PathLike) => Stats) => (path: PathLike): Stats => {
    folders.add(fileName(root, dirname(String(path))));
    return stat(path);
  };
  const fs = { readdirSync: readdir as typeof readdirSync, lstatSync: lookUp(lstatSync) as typeof lstatSync, statSync: lookUp(statSync) as typeof statSync };
  const files = fastGlob.sync(pattern, { cwd: root, ignore: NEVER, fs });
  return { files: [...new Set(files)].sort(), folders: [...folders].sort() };
}

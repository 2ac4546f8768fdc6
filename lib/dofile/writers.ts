import { statSync } from "node:fs";
import { isAbsolute, posix } from "node:path";
import { fullPath } from "../engine/index.ts";
import { otherWriters } from "../file/index.ts";
import { ProblemError, type Problem } from "../problem/index.ts";

/** A file, and the folders of the project in which it could be replaced. */
function withFolders(name: string): string[] {
  const folder = posix.dirname(name);
  return folder === name || isAbsolute(name) ? [name] : [name, ...withFolders(folder)];
}

/**
 * Refuses files of a project that run as who builds, or whose text runs on a device, where others may write or replace
 * them: one problem for each. Packages are left to who installs them. Throws a ProblemError (exit 2).
 */
export function refuseOtherWriters(root: string, names: readonly string[]): void {
  const own = names.filter((name) => !/(^|\/)node_modules\//.test(name));
  const problems = [...new Set(own.flatMap(withFolders))].flatMap((name): Problem[] => {
    const stat = statSync(fullPath(root, name), { throwIfNoEntry: false });
    // In a folder with the sticky bit nobody replaces the files of others (chmod(1)).
    const isSafe = stat === undefined || (stat.isDirectory() && (stat.mode & 0o1000) !== 0);
    const writers = isSafe ? undefined : otherWriters(stat, root);
    return writers === undefined
      ? []
      : [
          {
            code: "DP248",
            location: { file: name },
            what: `${writers.who} can write ${stat!.isDirectory() ? "into this folder" : "this file"}`,
            why: "others could change what runs here as you, and on the devices as root",
            fix: `${writers.fix} ${name}`,
          },
        ];
  });
  if (problems.length > 0) {
    throw new ProblemError(problems);
  }
}

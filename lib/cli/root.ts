import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ProblemError } from "../problem/index.ts";

const DOFILES = ["Dofile.ts", "Dofile.mts", "Dofile.js", "Dofile.mjs"];

/** The compiled program that runs: its folder, and the digest of what recipes can call in it. */
export interface CompiledProgram {
  readonly folder: string;
  readonly digest: string;
  readonly version: string;
}

/**
 * The folder of the project: the one given, or the nearest one above the current folder that has a Dofile.
 */
export function findRoot(folder: string | undefined): { root: string; dofile: string } {
  const start = resolve(folder ?? ".");
  for (let at = start; ; at = dirname(at)) {
    const dofile = DOFILES.find((name) => existsSync(join(at, name)));
    if (dofile !== undefined) {
      refuseBackslash(at);
      return { root: at, dofile };
    }
    if (folder !== undefined || at === dirname(at)) {
      break;
    }
  }
  const where = folder === undefined ? `${start} or any folder above it` : start;
  throw new ProblemError([
    {
      code: "DP241",
      what: `there is no Dofile.ts in ${where}`,
      fix: "go to a project's folder, or name it with -C DIR",
    },
  ]);
}

/** Node loads no module whose address has a backslash in it (ECMAScript modules, "Invalid module specifier"). */
function refuseBackslash(root: string): void {
  if (process.platform === "win32" || !root.includes("\\")) {
    return;
  }
  throw new ProblemError([
    {
      code: "DP250",
      location: { file: root },
      what: "the name of this folder, or of one above it, has a backslash",
      why: "Node cannot load the Dofile from there",
      fix: "rename the folder",
    },
  ]);
}

// The program as `npm i` would bring it, and as a clone has it, in temporary folders: an edit of lib/ during
// a run changes nothing.
import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./processes.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The way in of a copy with lib/ compiled ahead. */
export function installedBin(folder) {
  const bin = cloneBin(folder);
  run([process.execPath, join(folder, "lib/cli/pack.cjs")], { cwd: folder });
  return bin;
}

/** The way in of a copy that compiles lib/ when it is first used. */
export function cloneBin(folder) {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  for (const name of ["package.json", "lib"]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (!name.startsWith(".")) {
      symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
    }
  }
  return join(folder, "lib/cli/bin.cjs");
}

/** The project that the repository ships, without what it has built. */
export function shippedProject(folder) {
  for (const name of [
    "Dofile.ts",
    "settings.ini",
    "package.json",
    "rules",
    "templates",
    "terraform",
    "edge",
  ]) {
    cpSync(join(root, name), join(folder, name), { recursive: true, filter: (path) => !isBuilt(path) });
  }
}

function isBuilt(path) {
  return /\/edge\/(out|keys)$|\/terraform\/state$|\.(tfvars|applied)\.json$|\/\.terraform/.test(path);
}

import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, posix } from "node:path";
import { replaceFile } from "../file/index.ts";
import { moduleSources } from "../modules/sources.ts";
import { ProblemError, type Problem } from "../problem/index.ts";
import { moduleCopy, type ModuleInstance } from "./module-instance.ts";

/**
 * Copies a module's files to where Terraform runs, takes away what is no longer among them, and gives what `terraform
 * init` looks at in them.
 * @throws ProblemError (exit 2) where a module is taken from outside of the folder: the copy would be without it.
 */
export function copySources(instance: ModuleInstance): string {
  const copy = moduleCopy(instance);
  const source = join(instance.root, "terraform", instance.module);
  const names = filesOf(instance);
  refuseOutside(instance, names);
  for (const name of copiedBefore(copy)) {
    if (!names.includes(name)) {
      rmSync(join(copy, name), { force: true });
    }
  }
  let requirements = "";
  for (const name of names) {
    const bytes = readFileSync(join(source, name));
    put(join(copy, name), bytes, statSync(join(source, name)).mode & 0o100 ? 0o700 : 0o600);
    // terraform { … } and module { … } blocks. Their presence is enough to count the whole file.
    const text = bytes.toString("utf8");
    if ((name.endsWith(".tf") && /^(terraform|module)\b/m.test(text)) || name.endsWith(".tf.json")) {
      requirements += `${name}\0${text}\0`;
    }
  }
  replaceFile(join(copy, COPIED), JSON.stringify(names), { mode: 0o600 });
  return requirements;
}

/** The names of what was copied. */
const COPIED = "dospesos_copied.json";

function copiedBefore(copy: string): readonly string[] {
  try {
    return JSON.parse(readFileSync(join(copy, COPIED), "utf8")) as string[];
  } catch {
    // A copy of an older version, which knew `.tf` and `.tf.json` only.
    return readdirSync(copy).filter((name) => /\.tf(\.json)?$/.test(name) && !name.startsWith("dospesos_"));
  }
}

/** Relative to the module's folder, with forward slashes, sorted. */
function filesOf({ root, module }: ModuleInstance): string[] {
  const fastGlob = createRequire(import.meta.url)("fast-glob") as typeof import("fast-glob");
  return fastGlob
    .sync(moduleSources(module), { cwd: root })
    .map((name) => posix.relative(`terraform/${module}`, name))
    .sort();
}

function refuseOutside({ root, module }: ModuleInstance, names: readonly string[]): void {
  const problems = names
    .filter((name) => /\.tf(\.json)?$/.test(name))
    .flatMap((name): Problem[] => {
      const file = `terraform/${module}/${name}`;
      const text = readFileSync(join(root, file), "utf8");
      return Array.from(text.matchAll(/^[ \t]*"?source"?\s*[=:]\s*"(\.\.?\/[^"]*)"/gm))
        .filter(([, path = ""]) => posix.join(dirname(name), path).startsWith("../"))
        .map((match) => ({
          code: "DP419",
          location: placeOf(file, text, match.index + match[0].indexOf(match[1]!)),
          what: `the module ${match[1]} is outside of terraform/${module}`,
          why: "Terraform runs in a copy of that folder, which would be without it",
          fix: `move it below terraform/${module}, e.g. to ./modules/${posix.basename(match[1]!)}`,
        }));
    });
  if (problems.length > 0) {
    throw new ProblemError(problems);
  }
}

function placeOf(file: string, text: string, index: number) {
  const before = text.slice(0, index).split("\n");
  return { file, line: before.length, column: before.at(-1)!.length + 1 };
}

function put(path: string, bytes: Buffer, mode: number): void {
  if (readIfThere(path)?.equals(bytes) === true) {
    return;
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  replaceFile(path, bytes, { mode });
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

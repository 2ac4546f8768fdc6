import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  watch,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { reached } from "./bin.ts";
import { tempFolder } from "./temp.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));

export const SETTINGS = `[aws]
account = sandbox
region = eu-west-1
[instance]
name = demo
[greengrass]
version = 2.16.0
root = /greengrass/v2
[core a]
group = one
[core b]
group = two
`;

/** A folder of its own with a Dofile, the settings above and some more files. */
export function projectOf(
  dofile: string,
  files: Readonly<Record<string, string>> = {},
  root = tempFolder("project"),
): string {
  for (const [name, text] of Object.entries({ "settings.ini": SETTINGS, "Dofile.ts": dofile, ...files })) {
    put(root, name, text);
  }
  return root;
}

/**
 * A copy of the project that the repository ships: its settings, rules and sources, and nothing that was
 * built.
 */
export function shippedProject(): string {
  const root = tempFolder("shipped");
  for (const name of [
    ".gitignore",
    "settings.ini",
    "Dofile.ts",
    "rules",
    "templates",
    "edge/certificates",
    "edge/installer",
    "edge/thing-kit",
    "terraform",
  ]) {
    cpSync(join(repository, name), join(root, name), {
      recursive: true,
      filter: (path) => !/\.(tfvars|applied)\.json$|\/terraform\/state$|\.terraform/.test(path),
    });
  }
  return root;
}

export function put(root: string, name: string, text: string): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
}

export function textOf(root: string, name: string): string {
  return readFileSync(join(root, name), "utf8");
}

/** Replaces some text of a file in place; fails if it is not there. */
export function edit(root: string, name: string, from: string | RegExp, to: string): void {
  const before = textOf(root, name);
  if (typeof from === "string" ? !before.includes(from) : !from.test(before)) {
    throw new Error(`${name} does not hold ${from}`);
  }
  writeFileSync(join(root, name), before.replace(from, to));
}

/** The names and contents of all files below a folder, except the engine's state. */
export function contentsOf(
  root: string,
  except: (name: string) => boolean = () => false,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(root, name);
    if (name.startsWith(".dospesos") || except(name) || lstatSync(path).isDirectory()) {
      continue;
    }
    found[name] = `${(lstatSync(path).mode & 0o777).toString(8)} ${readFileSync(path, "latin1")}`;
  }
  return found;
}

/** Names of temporary files anywhere below a folder. */
export function temporaryFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => /tmp$/.test(name));
}

/** Resolves when a file's text is as wanted; rejects after some milliseconds. */
export async function becomes(
  root: string,
  name: string,
  isWanted: (text: string) => boolean,
  within = 10_000,
): Promise<void> {
  const path = join(root, name);
  const text = (): string => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  await reached(
    () => isWanted(text()),
    (wake) => {
      const watcher = watch(dirname(path), wake);
      // What happened before the watch was there.
      queueMicrotask(wake);
      return () => watcher.close();
    },
    within,
    () => `${name} did not become what was wanted:\n${text().slice(0, 2000)}`,
  );
}

/** Takes away the right to write, for the time of a body. */
export function withoutWriting(path: string, body: () => void): void {
  const { mode } = lstatSync(path);
  chmodSync(path, 0o555);
  try {
    body();
  } finally {
    chmodSync(path, mode & 0o7777);
  }
}

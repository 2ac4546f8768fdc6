import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { tempFolder } from "./temp.ts";

export const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Ended {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A fresh clone in a folder of its own, after `npm ci`, without asking the registry again. */
export interface Clone {
  readonly root: string;
  dospesos: (...words: string[]) => Ended;
  /** The same with other environment variables than those of the test. */
  dospesosWith: (environment: NodeJS.ProcessEnv, ...words: string[]) => Ended;
  /** Starts without waiting. */
  start: (...words: string[]) => Promise<Ended>;
  git: (...words: string[]) => string;
}

/** Copies what git tracks, and what it would track, as it is now. */
export function freshClone(): Clone {
  const root = tempFolder("clone");
  const files = run(repository, "git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    .stdout.split("\0")
    .filter((name) => name !== "" && existsSync(join(repository, name)));
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    cpSync(join(repository, file), join(root, file));
  }
  // Each package is a link, but node_modules itself is the clone's own: the compiled program is kept in it.
  mkdirSync(join(root, "node_modules"));
  for (const name of readdirSync(join(repository, "node_modules"))) {
    if (name !== ".cache") {
      symlinkSync(join(repository, "node_modules", name), join(root, "node_modules", name));
    }
  }
  const bin = join(root, "lib", "cli", "bin.cjs");
  const git = (...words: string[]): string =>
    run(root, "git", ["-c", "user.name=test", "-c", "user.email=test@localhost", ...words]).stdout;
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", "clone");
  return {
    root,
    git,
    dospesos: (...words) => run(root, process.execPath, [bin, ...words]),
    dospesosWith: (environment, ...words) => run(root, process.execPath, [bin, ...words], environment),
    start: (...words) =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [bin, ...words], { cwd: root, env: plain });
        let [stdout, stderr] = ["", ""];
        child.stdout.on("data", (piece: Buffer) => (stdout += piece.toString()));
        child.stderr.on("data", (piece: Buffer) => (stderr += piece.toString()));
        child.on("close", (exit) => resolve({ exit, stdout, stderr }));
      }),
  };
}

/** Test runners force colours; a program that reads the output does not. */
const plain: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: "1" };

function run(
  cwd: string,
  program: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = plain,
): Ended {
  const { status, stdout, stderr } = spawnSync(program, words, {
    cwd,
    env: environment,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  return { exit: status, stdout, stderr };
}

/** The targets that a build with --json ran. */
export function ran(ended: Ended): string[] {
  return events(ended)
    .flatMap((event) =>
      event["type"] === "step" && event["status"] === "ran" ? [String(event["target"])] : [],
    )
    .sort();
}

export function events(ended: Ended): Record<string, unknown>[] {
  return ended.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

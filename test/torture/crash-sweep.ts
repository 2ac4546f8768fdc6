/**
 * Kills a build at every call of node:fs that it makes below its project, before the call and in the middle
 * of each write, and at random moments; and lets every write, fsync and rename fail. The calls are counted by
 * a preloaded module (faulty-fs.cjs): it works alike on every version of Node, costs a few milliseconds a
 * run, and counts nothing but what touches the project.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nothingToDo } from "../../lib/engine/run/nothing-to-do.ts";
import { BIN, PLAIN, Started, type Ended } from "../support/bin.ts";
import { contentsOf, edit, projectOf, put, SETTINGS, temporaryFiles } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";
import { Choices } from "./choices.ts";

/** As the program finds itself: the compiled one, and its digest. */
const { program } = createRequire(import.meta.url)("../../lib/cli/program.cjs") as {
  program: () => { readonly digest: string };
};
const PRELOAD = fileURLToPath(new URL("./faulty-fs.cjs", import.meta.url));
/**
 * Rules of one and of three outputs with a mode, a fact and an effect between them, a glob, a file that goes
 * and comes.
 */
const DOFILE = `import { effect, fact, file, glob, group, project, rule } from "dospesos";
import { pages } from "./rules/pages.ts";
export default project(({ settings }) => {
  const source = file("source.txt");
  const count = fact({ name: "count", needs: { all: glob("in/*") }, recipe: ({ all }) => all.map((one) => one.path + one.text) });
  const many = rule({ targets: { a: "out/many.a", b: "out/many.b", c: "out/private/many.c" }, mode: 0o600, needs: { source, count }, recipe: ({ source, count }, { settings }) => ({ a: source.text, b: count.join(), c: settings.instance.name + source.text }) });
  const applied = effect({ name: "account", target: "applied.json", needs: { a: many.files.a }, apply: async ({ a }) => ({ was: a.text }) });
  const after = rule({ target: "out/after", needs: { applied }, recipe: ({ applied }) => applied.was });
  return [group("all", [many, applied, after]), ...pages(settings)];
});
`;
const PAGES = `import { file, rule } from "dospesos";
export const pages = (settings: { cores: readonly { name: string; group: string }[] }) => settings.cores.map((core) => rule({ target: "out/page/" + core.name, needs: { source: file("source.txt") }, recipe: ({ source }) => core.group + source.text }));
`;

export interface Swept {
  kills: number;
  /** Kills at random moments. */
  random: number;
  faults: number;
  /** How many pairs of a build and a fault were not tried to the end, since time was up. */
  left: number;
  readonly wrong: string[];
}

interface Fault {
  readonly how: "kill" | "half" | "ENOSPC" | "EIO" | "EACCES";
  readonly calls?: readonly string[];
  readonly forever?: boolean;
}

interface Task {
  readonly build: keyof typeof BUILDS;
  readonly fault: Fault;
  /** The number of the first call. */
  readonly from: number;
}

/**
 * What is built, when everything is there from the build before. Each turn differs from the one before it;
 * after six they come again.
 */
const BUILDS = {
  cold: (root: string, turn: number) => {
    for (const name of [".dospesos", "out", "applied.json"]) {
      rmSync(join(root, name), { recursive: true, force: true });
    }
    put(root, "source.txt", `source ${turn}\n`);
  },
  incremental: (root: string, turn: number) => {
    put(root, "source.txt", `source ${turn}\n`.repeat(500));
    put(root, `in/${turn % 3}`, `in ${turn}`);
    // A core goes and another one comes: a target vanishes.
    put(root, "settings.ini", SETTINGS);
    if (turn % 2 === 1) {
      edit(root, "settings.ini", "[core b]", "[core c]");
    }
    put(root, "rules/pages.ts", `// ${turn}\n${PAGES}`);
  },
  // Saved again as it was: nothing to do, but the state notes the new times.
  "no-op": (root: string) => {
    put(root, "source.txt", readFileSync(join(root, "source.txt"), "utf8"));
    put(root, "in/0", readFileSync(join(root, "in/0"), "utf8"));
  },
} as const;

const WRITES = ["writeSync", "writeFileSync"];
const CHANGES = [
  ...WRITES,
  "openSync",
  "closeSync",
  "renameSync",
  "rmSync",
  "rmdirSync",
  "unlinkSync",
  "mkdirSync",
  "fsyncSync",
  "futimesSync",
  "fchmodSync",
  "ftruncateSync",
];
const READS = [
  "readFileSync",
  "readSync",
  "readdirSync",
  "statSync",
  "lstatSync",
  "fstatSync",
  "realpathSync",
  "existsSync",
];
const FAULTS: readonly Fault[] = [
  { how: "kill", calls: CHANGES },
  { how: "half", calls: WRITES },
  ...(["ENOSPC", "EIO", "EACCES"] as const).flatMap((how) =>
    [["writeSync"], ["writeFileSync"], ["fsyncSync"], ["renameSync"]].flatMap((calls) => [
      { how, calls },
      { how, calls, forever: true },
    ]),
  ),
  // A kill at a call that only looks leaves what one at the next change leaves: last, if there is time.
  { how: "kill", calls: READS },
];

/**
 * Sweeps until the time is up. A `stride` above 1 tries only every so many-th call, from one that the seed
 * chooses, in an order that it chooses. `random`: how many builds are killed at random moments.
 */
export async function sweep(seed: string, until: number, stride: number, random: number): Promise<Swept> {
  const swept: Swept = { kills: 0, random: 0, faults: 0, left: 0, wrong: [] };
  const builds = Object.keys(BUILDS) as (keyof typeof BUILDS)[];
  const choices = new Choices(`${seed} sweep`);
  const ordered = FAULTS.flatMap((fault) =>
    builds.map((build) => ({ build, fault, from: 1 + choices.number(stride) })),
  );
  const tasks =
    stride === 1
      ? ordered
      : ordered
          .map((task) => ({ task, place: choices.number(2 ** 30) }))
          .sort((a, b) => a.place - b.place)
          .map(({ task }) => task);
  const moments = Array.from({ length: random }, () => ({
    build: builds[choices.number(builds.length)]!,
    moment: choices.number(1000) / 1000,
  }));
  const lanes = Array.from({ length: cpus().length }, async () => {
    const lane = new Lane();
    for (let kill = moments.pop(); kill !== undefined; kill = moments.pop()) {
      await lane.killAt(kill.build, kill.moment, swept);
    }
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      await lane.sweep(task, swept, until, stride);
    }
  });
  await Promise.all(lanes);
  return swept;
}

/** One project in which builds are broken one after the other. */
class Lane {
  readonly #root = projectOf(DOFILE, {
    "rules/pages.ts": PAGES,
    "source.txt": "source\n",
    "in/0": "0",
    "in/1": "1",
  });
  readonly #clean = projectOf("");
  readonly #counted = join(tempFolder("counted"), "calls");
  /** What a clean build makes of some sources. */
  readonly #expectations = new Map<string, Record<string, string>>();
  /** How many milliseconds each build takes. */
  readonly #lasts = new Map<keyof typeof BUILDS, number>();
  #turn = 0;

  async sweep({ build, fault, from }: Task, swept: Swept, until: number, stride: number): Promise<void> {
    await this.#dospesos(undefined, "build", "--yes");
    for (let at = from; ; at += stride) {
      if (Date.now() > until || swept.wrong.length > 20) {
        swept.left++;
        return;
      }
      BUILDS[build](this.#root, (this.#turn = (this.#turn + 1) % 6));
      const counted = this.#counted;
      rmSync(counted, { force: true });
      const ended = await this.#dospesos({ ...fault, at, counted, root: this.#root }, "build", "--yes");
      const killed = ended.signal === "SIGKILL";
      // It ended without getting so far: there is no such call.
      if (!killed && existsSync(counted) && Number(readFileSync(counted, "utf8")) < at) {
        return;
      }
      if (killed) {
        swept.kills++;
      } else {
        swept.faults++;
      }
      for (const what of await this.#wrong(ended, killed)) {
        swept.wrong.push(`${build} build, ${JSON.stringify({ ...fault, at })}: ${what}`);
      }
    }
  }

  /** `moment`: after which share of the time that such a build takes. */
  async killAt(build: keyof typeof BUILDS, moment: number, swept: Swept): Promise<void> {
    const next = (): void => BUILDS[build](this.#root, (this.#turn = (this.#turn + 1) % 6));
    if (!this.#lasts.has(build)) {
      next();
      const begin = performance.now();
      await this.#dospesos(undefined, "build", "--yes");
      this.#lasts.set(build, performance.now() - begin);
    }
    next();
    const started = new Started(this.#root, process.execPath, [BIN, "build", "--yes"]);
    setTimeout(() => started.kill("SIGKILL"), moment * this.#lasts.get(build)!);
    const ended = await started.end(60_000);
    if (ended.signal === "SIGKILL") {
      swept.random++;
    }
    for (const what of await this.#wrong(ended, ended.signal === "SIGKILL")) {
      swept.wrong.push(`${build} build, killed after ${moment} of its time: ${what}`);
    }
  }

  /** What is not as it must be after a build that was broken. */
  async #wrong(ended: Ended, killed: boolean): Promise<string[]> {
    const wrong: string[] = [];
    if (!killed && ended.exit !== 0 && ended.exit !== 1) {
      wrong.push(`exit ${ended.exit}: ${ended.stderr}`);
    }
    if (!killed && /DP001/.test(ended.stderr)) {
      wrong.push(`a fault passes for one of the program: ${ended.stderr}`);
    }
    if (!killed && ended.exit === 1 && !/E(NOSPC|IO|ACCES)/.test(ended.stderr)) {
      wrong.push(`the fault is not told: ${ended.stderr}`);
    }
    if (!killed) {
      wrong.push(
        ...temporaryFiles(this.#root)
          .filter((name) => !name.startsWith(".dospesos"))
          .map((name) => `${name} is left by a build that was not killed`),
      );
    }
    const expected = await this.#expected();
    const exitedWell = !killed && ended.exit === 0;
    if (exitedWell) {
      wrong.push(...differences(contentsOf(this.#root), expected).map((what) => `after exit 0: ${what}`));
    }
    const next = await this.#dospesos(undefined, "build", "--yes", "--json");
    if (next.exit !== 0) {
      wrong.push(`the next build: exit ${next.exit}: ${next.stderr}`);
    }
    const untrue = /"change":"(edited|replaced)"|by hand|damaged/.exec(next.stdout + next.stderr);
    if (untrue !== null) {
      wrong.push(`the next build says what is not so: ${next.stdout}${next.stderr}`);
    }
    wrong.push(...temporaryFiles(this.#root).map((name) => `${name} is left`));
    wrong.push(...differences(contentsOf(this.#root), expected));
    if (nothingToDo(this.#root, [], program().digest) === undefined) {
      const last = await this.#dospesos(undefined, "build");
      wrong.push(`then there is still something to do: ${last.stderr}`);
    }
    return wrong;
  }

  /** What a build from nothing elsewhere makes of the same sources. */
  async #expected(): Promise<Record<string, string>> {
    const isMade = (name: string): boolean => name.startsWith("out/") || name === "applied.json";
    const sources = contentsOf(this.#root, isMade);
    const key = JSON.stringify(sources);
    const known = this.#expectations.get(key);
    if (known !== undefined) {
      return known;
    }
    rmSync(this.#clean, { recursive: true, force: true });
    for (const [name, text] of Object.entries(sources)) {
      put(this.#clean, name, text.replace(/^\d+ /, ""));
    }
    const { exit, stderr } = await this.#dospesos(undefined, "build", "--yes", "-C", this.#clean);
    if (exit !== 0) {
      throw new Error(`a clean build fails: ${stderr}`);
    }
    const made = contentsOf(this.#clean);
    this.#expectations.set(key, made);
    return made;
  }

  #dospesos(fault: object | undefined, ...words: string[]): Promise<Ended> {
    const preload = fault === undefined ? [] : ["--require", PRELOAD];
    const env = fault === undefined ? PLAIN : { ...PLAIN, TORTURE_FAULT: JSON.stringify(fault) };
    return new Started(this.#root, process.execPath, [...preload, BIN, ...words], { env }).end(60_000);
  }
}

function differences(here: Record<string, string>, there: Record<string, string>): string[] {
  return [...new Set([...Object.keys(here), ...Object.keys(there)])]
    .filter((name) => here[name] !== there[name])
    .map(
      (name) =>
        `${name} is ${JSON.stringify(here[name]?.slice(0, 80))}, and of a clean build ${JSON.stringify(there[name]?.slice(0, 80))}`,
    );
}

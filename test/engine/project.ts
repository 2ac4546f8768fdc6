import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { projectHost } from "../../lib/cli/host.ts";
import {
  build,
  explain,
  loadState,
  openStore,
  selectSteps,
  Session,
  type BuildOptions,
  type EngineEvent,
  type Explanation,
  type PlannedEffect,
  type StepStatus,
  type Summary,
} from "../../lib/engine/index.ts";
import { ProblemError, type Problem } from "../../lib/problem/index.ts";
import { nothingToDo } from "../../lib/engine/run/nothing-to-do.ts";
import { SETTINGS } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";
import { didWhatWasTold, type Did, type Told } from "../support/told.ts";

const API = new URL("../../lib/index.ts", import.meta.url).href;
const BIN = fileURLToPath(new URL("../../lib/cli/bin.cjs", import.meta.url));

/** All that one build told: what it did, and what no explanation tells before it. */
export interface Outcome extends Did {
  readonly notes: readonly string[];
  readonly removed: readonly string[];
  readonly plans: readonly (readonly PlannedEffect[])[];
}

/**
 * A project of files in a folder of its own. Sources are written through it, so that it can be built again
 * elsewhere from nothing.
 */
export class TestProject {
  readonly root = tempFolder("engine");
  /** The digest of the program: another one stands for an upgrade. */
  program = "program 1";
  readonly #sources = new Set<string>();

  /** `body` is what the function given to project() consists of; `modules` are further files. */
  constructor(body: string, modules: Readonly<Record<string, string>> = {}, head = "") {
    this.write("settings.ini", SETTINGS);
    this.dofile(body, head);
    for (const [name, text] of Object.entries(modules)) {
      this.write(name, text);
    }
  }

  path(name: string): string {
    return join(this.root, name);
  }

  dofile(body: string, head = ""): void {
    this.write(
      "Dofile.ts",
      `import { effect, fact, file, glob, group, json, project, rule } from "dospesos";\n${head}\nexport default project(({ settings, env, glob: find }) => {\n${body}\n});\n`,
    );
  }

  write(name: string, content: string | Uint8Array): void {
    this.#sources.add(name);
    this.tamper(name, content);
  }

  /** Writes a file that is no source: an output, as a person would edit it. */
  tamper(name: string, content: string | Uint8Array): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content);
  }

  link(target: string, name: string): void {
    this.#sources.add(name);
    mkdirSync(dirname(this.path(name)), { recursive: true });
    rmSync(this.path(name), { force: true });
    symlinkSync(target, this.path(name));
  }

  setting(from: string, to: string): void {
    const text = this.text("settings.ini");
    assert.ok(text.includes(from), `settings.ini holds ${from}`);
    this.write("settings.ini", text.replace(from, to));
  }

  remove(name: string): void {
    this.#sources.delete(name);
    rmSync(this.path(name), { recursive: true, force: true });
  }

  text(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  exists(name: string): boolean {
    return lstatSync(this.path(name), { throwIfNoEntry: false }) !== undefined;
  }

  mtime(name: string): bigint {
    return lstatSync(this.path(name), { bigint: true }).mtimeNs;
  }

  touch(name: string, seconds: number): void {
    utimesSync(this.path(name), seconds, seconds);
  }

  chmod(name: string, mode: number): void {
    chmodSync(this.path(name), mode);
  }

  open(root = this.root): Session {
    const host = projectHost({ api: API, digest: this.program }, "Dofile.ts");
    // As in a repository that ignores what is built.
    return new Session(root, this.exists(".git") ? host : { ...host, gitStatus: () => "ignored" });
  }

  /**
   * Asks what a build would do and then builds: the build does what was reported, and asking writes nothing.
   * `changing` names the steps that nobody can tell of, since what they are made from changes while the build
   * runs.
   */
  async build(
    targets: readonly string[] = [],
    options: Partial<BuildOptions> & { readonly changing?: readonly string[] } = {},
    root = this.root,
  ): Promise<Outcome> {
    const { changing, ...given } = options;
    // --force and watch do something else than what is reported.
    if (given.force === true || given.effects === "hold") {
      return this.buildAtOnce(targets, given, root);
    }
    const before = stampsOf(root);
    const told = await this.#ask(targets, root);
    assert.equal(stampsOf(root), before, "asking what a build would do writes nothing");
    const did = await this.buildAtOnce(targets, given, root);
    didWhatWasTold(told, did, changing);
    return did;
  }

  #isDamaged(root: string): boolean {
    try {
      return loadState(root).damaged;
    } catch {
      return false;
    }
  }

  async #ask(targets: readonly string[], root: string): Promise<Told> {
    // Of a damaged state that path reads what it needs, and says rightly that all is fresh; a build makes the
    // rest of the state again.
    const hasNothingToDo = this.nothingToDo(targets, root) && !this.#isDamaged(root);
    try {
      return { nothingToDo: hasNothingToDo, explanations: await this.explain(targets, root), problems: [] };
    } catch (error) {
      if (!(error instanceof ProblemError)) {
        throw error;
      }
      return { nothingToDo: hasNothingToDo, explanations: [], problems: error.problems };
    }
  }

  /**
   * Builds as `dospesos build` does, in this process; a new session stands for a new process. It does not
   * wait for a tick of the clock at the end as that does, so that what a test does next follows the build
   * more closely than a person could.
   */
  async buildAtOnce(
    targets: readonly string[] = [],
    options: Partial<BuildOptions> = {},
    root = this.root,
  ): Promise<Outcome> {
    const events: EngineEvent[] = [];
    const problems: Problem[] = [];
    let summary: Summary | undefined;
    const emit = (event: EngineEvent): void => void events.push(event);
    const consent = async (): Promise<boolean> => {
      throw new Error("nobody was to be asked");
    };
    try {
      const session = this.open(root);
      const store = openStore(session, emit);
      try {
        const all: BuildOptions = {
          targets,
          jobs: 4,
          keepGoing: false,
          force: false,
          effects: "run",
          consent,
          ...options,
        };
        summary = await build(session, store, all, emit, new AbortController().signal);
      } finally {
        store.checkpoint();
      }
    } catch (error) {
      if (!(error instanceof ProblemError)) {
        throw error;
      }
      problems.push(...error.problems);
    }
    return outcome(events, problems, summary);
  }

  async explain(targets: readonly string[] = [], root = this.root): Promise<Explanation[]> {
    const session = this.open(root);
    const graph = await session.graph(false);
    return explain(session, graph, selectSteps(session.state, graph, targets));
  }

  nothingToDo(targets: readonly string[] = [], root = this.root): boolean {
    return nothingToDo(root, targets, this.program) !== undefined;
  }

  /** A real process. */
  run(
    words: readonly string[],
    env: NodeJS.ProcessEnv = {},
    cwd = this.root,
  ): { code: number | null; out: string; err: string } {
    const run = spawnSync(process.execPath, [BIN, ...words], {
      cwd,
      env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", ...env },
      encoding: "utf8",
    });
    return { code: run.status, out: run.stdout, err: run.stderr };
  }

  /**
   * The oracle: the next build has nothing to do, by both ways to find that out, and a clean build elsewhere
   * makes the same files.
   */
  async settled(): Promise<void> {
    assert.is(this.nothingToDo(), true, "the nothing-to-do path says yes");
    const before = stateOf(this.root);
    const second = await this.build();
    assert.equal(second.problems, []);
    assert.equal(second.ran, [], "the next build runs nothing");
    assert.equal(stateOf(this.root), before, "and writes nothing");
    const elsewhere = tempFolder("clean");
    for (const name of this.#sources) {
      copySource(this.path(name), join(elsewhere, name));
    }
    assert.equal((await this.build([], {}, elsewhere)).problems, []);
    assert.equal(filesBelow(this.root), filesBelow(elsewhere), "the same as a clean build");
  }
}

/** Copies a file, a folder, or a link as it is: also one that leads nowhere. */
function copySource(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  if (lstatSync(from).isSymbolicLink()) {
    symlinkSync(readlinkSync(from), to);
  } else if (statSync(from).isDirectory()) {
    cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  } else {
    cpSync(from, to);
  }
}

/**
 * Every file below a folder with its content, without the engine's state. Folders do not count: an empty one
 * may be left of a source.
 */
export function filesBelow(root: string): Record<string, string> {
  return Object.fromEntries(
    entries(root)
      .filter((name) => !name.startsWith(".dospesos"))
      .map((name) => [name, contentOf(join(root, name))])
      .filter(([, content]) => content !== FOLDER),
  );
}

/** Every file below a folder with content and times: equal only if nothing was written. */
export function stateOf(root: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(stampsOf(root)).map(([name, stamps]) => [
      name,
      `${stamps} ${contentOf(join(root, name))}`,
    ]),
  );
}

function stampsOf(root: string): Record<string, string> {
  return Object.fromEntries(
    entries(root).map((name) => {
      const { size, mtimeNs, ctimeNs, ino, mode } = lstatSync(join(root, name), { bigint: true });
      return [name, `${size} ${mtimeNs} ${ctimeNs} ${ino} ${mode}`];
    }),
  );
}

const FOLDER = "(a folder)";

function entries(root: string): string[] {
  // Not `recursive`: some versions of Node follow links then, also those that lead upwards.
  const below = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      return [relative(root, path), ...(entry.isDirectory() ? below(path) : [])];
    });
  return below(root).sort();
}

function contentOf(path: string): string {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) {
    return `→ ${readlinkSync(path)}`;
  }
  return stat.isFile() ? readFileSync(path, "latin1") : FOLDER;
}

function outcome(
  events: readonly EngineEvent[],
  thrown: readonly Problem[],
  summary: Summary | undefined,
): Outcome {
  const steps = events.flatMap((event) => (event.type === "step" ? [event] : []));
  const named = (status: StepStatus): string[] =>
    steps.filter((step) => step.status === status).map((step) => step.target);
  return {
    ran: named("ran").sort(),
    fresh: named("fresh").sort(),
    failed: named("failed").sort(),
    skipped: named("skipped").sort(),
    reasons: Object.fromEntries(steps.map((step) => [step.target, step.reasons])),
    problems: [...events.flatMap((event) => (event.type === "problem" ? [event.problem] : [])), ...thrown],
    notes: events.flatMap((event) => (event.type === "note" ? [event.what] : [])),
    removed: events.flatMap((event) => (event.type === "removed" ? [event.target] : [])).sort(),
    plans: events.flatMap((event) => (event.type === "plan" ? [event.effects] : [])),
    summary,
  };
}

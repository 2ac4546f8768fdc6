/**
 * Runs a sequence of edits and builds, and compares after each build what the engine did with what the models
 * say.
 */
import { lstatSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Explanation } from "../../lib/engine/index.ts";
import { passed, TICK } from "../../lib/engine/disk/ticks.ts";
import { filesBelow, TestProject, type Outcome } from "../engine/project.ts";
import { temporaryFiles } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";
import { Choices } from "./choices.ts";
import { apply, writeGraph, type Edit, type Subject } from "./edits.ts";
import { Graph, VARIABLES } from "./graph.ts";
import { lookAt, type Seen } from "./sight.ts";
import { World } from "./world.ts";

export interface Round {
  readonly edits: readonly Edit[];
  /** Chooses what is built, how, and which recipes fail. */
  readonly seed: string;
}

export interface Sequence {
  /** Makes the graph that it begins with. */
  readonly seed: string;
  readonly rounds: readonly Round[];
}

/** What a step saw and made when it last ran. */
interface LastRun {
  readonly failed: boolean;
  readonly view: Seen["view"];
  readonly files: Seen["files"];
  readonly precious: boolean;
}

/** Runs a sequence in folders of its own. Returns what was wrong first, or undefined. */
export async function runSequence(sequence: Sequence): Promise<string | undefined> {
  const run = new SequenceRun(sequence.seed);
  try {
    for (const [index, round] of [
      { edits: [], seed: `${sequence.seed} first` },
      ...sequence.rounds,
    ].entries()) {
      const wrong = await run.round(round);
      if (wrong !== undefined) {
        return `round ${index}: ${wrong}`;
      }
    }
    return undefined;
  } catch (error) {
    return `an exception: ${(error as Error).stack}`;
  } finally {
    run.end();
  }
}

class SequenceRun {
  readonly #project = new TestProject("return [];");
  readonly #clean = tempFolder("clean");
  readonly #subject: Subject;
  readonly #last = new Map<string, LastRun>();
  /** What the last build that made them put into files, whichever step it was. */
  readonly #made = new Map<string, { readonly text: string; readonly mode: number }>();

  constructor(seed: string) {
    const graph = new Graph();
    const choices = new Choices(seed);
    for (let count = 3 + choices.number(10); count > 0; count--) {
      graph.add(choices);
    }
    this.#subject = { root: this.#project.root, world: new World(), graph };
    this.#subject.world.putAll(this.#project.root);
    writeGraph(this.#subject);
  }

  end(): void {
    for (const path of [this.#project.root, this.#clean, `${this.#project.root}-same`]) {
      rmSync(path, { recursive: true, force: true });
    }
    for (const name of [...VARIABLES, "TORTURE_FAIL"]) {
      Reflect.deleteProperty(process.env, name);
    }
  }

  async round({ edits, seed }: Round): Promise<string | undefined> {
    const choices = new Choices(seed);
    for (const edit of edits) {
      apply(this.#subject, edit);
    }
    if (edits.some((edit) => edit.kind === "state deleted") && !this.#exists(".dospesos")) {
      this.#forget();
    }
    this.#setEnvironment();
    const steps = lookAt(this.#subject.graph, this.#subject.world);
    this.#removeWhatWouldStay(steps);

    const told = choices.chance(0.7) ? await this.#project.explain() : undefined;
    const damaged = new Set(this.#damagedFiles({ files: Object.fromEntries(this.#made) }));
    const failing = choices.chance(0.15)
      ? choices.some(
          steps.flatMap((step) => step.id ?? []),
          2,
        )
      : [];
    const targets = choices.chance(0.1) ? [choices.one(steps).name] : [];
    process.env["TORTURE_FAIL"] = failing.join(" ");
    const outcome = await this.#project.buildAtOnce(targets, {
      keepGoing: choices.chance(0.5),
      jobs: 1 + choices.number(4),
    });
    process.env["TORTURE_FAIL"] = "";
    if (outcome.ran.length > 0) {
      await passed(TICK);
    }

    const wrong =
      this.#unjustified(steps, outcome, damaged) ??
      explainedOtherwise(told, outcome, damaged, targets.length === 0);
    this.#remember(steps, outcome);
    return wrong ?? (await this.#compare(steps, outcome, failing, targets));
  }

  #exists(name: string): boolean {
    return lstatSync(join(this.#project.root, name), { throwIfNoEntry: false }) !== undefined;
  }

  #setEnvironment(): void {
    for (const name of VARIABLES) {
      const value = this.#subject.world.environment.get(name);
      if (value === undefined) {
        Reflect.deleteProperty(process.env, name);
      } else {
        process.env[name] = value;
      }
    }
  }

  /** Without its state a build cannot know what was made before: here, it is removed with it. */
  #forget(): void {
    rmSync(join(this.#project.root, "out"), { recursive: true, force: true });
    this.#last.clear();
    this.#made.clear();
  }

  /**
   * What was edited by hand, and what is precious, stays when its rule goes. A clean build elsewhere does not
   * have it, so it goes here.
   */
  #removeWhatWouldStay(steps: readonly Seen[]): void {
    const made = new Set(steps.flatMap((step) => Object.keys(step.files)));
    for (const last of this.#last.values()) {
      for (const path of Object.keys(last.files)) {
        if (!made.has(path) && (last.precious || this.#damagedFiles(last).length > 0)) {
          rmSync(join(this.#project.root, path), { force: true });
        }
      }
    }
  }

  /** The outputs that are not what the step made, or have another mode. */
  #damagedFiles({ files }: Pick<LastRun, "files">): string[] {
    return Object.entries(files).flatMap(([path, { text, mode }]) => {
      const full = join(this.#project.root, path);
      const stat = lstatSync(full, { throwIfNoEntry: false });
      const good =
        stat?.isFile() === true &&
        readFileSync(full, "utf8") === text &&
        (mode === 0 || (stat.mode & 0o777) === mode);
      return good ? [] : [path];
    });
  }

  #unjustified(steps: readonly Seen[], outcome: Outcome, damaged: ReadonlySet<string>): string | undefined {
    for (const step of steps.filter(({ name }) => outcome.ran.includes(name))) {
      const last = this.#last.get(step.name);
      if (
        last === undefined ||
        last.failed ||
        Object.keys(last.files).some((path) => damaged.has(path)) ||
        !isDeepStrictEqual(last.view, step.view)
      ) {
        continue;
      }
      return `${step.name} ran, and all that it depends on was unchanged; told: ${JSON.stringify(outcome.reasons[step.name])}`;
    }
    return undefined;
  }

  #remember(steps: readonly Seen[], { ran, failed, summary }: Outcome): void {
    if (summary === undefined) {
      return;
    }
    const names = new Set(steps.map((step) => step.name));
    for (const name of this.#last.keys()) {
      if (!names.has(name)) {
        this.#last.delete(name);
      }
    }
    const targets = new Set(steps.flatMap((step) => Object.keys(step.files)));
    for (const path of this.#made.keys()) {
      if (!targets.has(path)) {
        this.#made.delete(path);
      }
    }
    for (const { name, view, files, precious } of steps) {
      if (ran.includes(name)) {
        for (const [path, file] of Object.entries(files)) {
          this.#made.set(path, file);
        }
      }
      if (ran.includes(name)) {
        this.#last.set(name, { failed: false, view, files, precious });
      } else if (failed.includes(name)) {
        this.#last.set(name, { failed: true, view, files: this.#last.get(name)?.files ?? {}, precious });
      }
    }
  }

  async #compare(
    steps: readonly Seen[],
    outcome: Outcome,
    failing: readonly string[],
    targets: readonly string[],
  ): Promise<string | undefined> {
    const mustFail = steps.filter((step) => step.fails).map((step) => step.name);
    const mayFail = new Set([
      ...mustFail,
      ...steps.filter((step) => step.id !== undefined && failing.includes(step.id)).map((step) => step.name),
    ]);
    if (outcome.summary === undefined) {
      return `the build stopped: ${JSON.stringify(outcome.problems)}`;
    }
    const surprise = outcome.failed.find((name) => !mayFail.has(name));
    if (surprise !== undefined) {
      return `${surprise} failed: ${JSON.stringify(outcome.problems)}`;
    }
    if (mustFail.some((name) => outcome.ran.includes(name) || outcome.fresh.includes(name))) {
      return `${mustFail.join()} should have failed`;
    }
    const left = temporaryFiles(this.#project.root);
    if (left.length > 0) {
      return `temporary files are left: ${left.join()}`;
    }
    const wrong = this.#wrongOutput(steps, outcome);
    if (wrong !== undefined || outcome.failed.length > 0 || targets.length > 0) {
      return wrong;
    }
    return this.#unsettled(steps);
  }

  #wrongOutput(steps: readonly Seen[], { ran, fresh }: Outcome): string | undefined {
    for (const { name, files } of steps) {
      if (!ran.includes(name) && !fresh.includes(name)) {
        continue;
      }
      for (const [path, { text }] of Object.entries(files)) {
        const found = this.#exists(path) ? readFileSync(join(this.#project.root, path), "utf8") : undefined;
        if (found !== text) {
          return `${path} holds ${JSON.stringify(found)}, and must hold ${JSON.stringify(text)}`;
        }
      }
    }
    return undefined;
  }

  async #unsettled(steps: readonly Seen[]): Promise<string | undefined> {
    const damaged = steps.flatMap((step) => this.#damagedFiles(step));
    if (damaged.length > 0) {
      return `not what the build made, or of another mode: ${damaged.join()}`;
    }
    if (!this.#project.nothingToDo()) {
      return "the nothing-to-do path says that there is something to do";
    }
    const next = await this.#project.buildAtOnce();
    if (next.ran.length > 0) {
      return `the next build ran ${next.ran.join()}: ${JSON.stringify(next.reasons)}`;
    }
    rmSync(this.#clean, { recursive: true, force: true });
    this.#subject.world.putAll(this.#clean);
    writeGraph({ ...this.#subject, root: this.#clean });
    const clean = await this.#project.buildAtOnce([], {}, this.#clean);
    if (clean.problems.length > 0) {
      return `a clean build fails: ${JSON.stringify(clean.problems)}`;
    }
    const [here, there] = [filesBelow(this.#project.root), filesBelow(this.#clean)];
    const isLinked = (name: string): boolean => /^(page|\.real-page)(\/|$)/.test(name);
    for (const name of new Set([...Object.keys(here), ...Object.keys(there)])) {
      if (here[name] !== there[name] && !isLinked(name)) {
        return `${name} is ${JSON.stringify(here[name])}, and of a clean build ${JSON.stringify(there[name])}`;
      }
    }
    return undefined;
  }
}

/**
 * What `why` told before a build must agree with what ran: fresh ones did not, stale ones did, and nobody
 * edited what nobody touched.
 */
function explainedOtherwise(
  told: readonly Explanation[] | undefined,
  outcome: Outcome,
  damaged: ReadonlySet<string>,
  whole: boolean,
): string | undefined {
  const stopped = outcome.failed.length > 0 || !whole;
  for (const { target, freshness, reasons } of told ?? []) {
    const shown = `${JSON.stringify(reasons)}; the build: ${JSON.stringify(outcome.reasons[target])}`;
    if (freshness === "fresh" && outcome.ran.includes(target)) {
      return `why told that ${target} is fresh, and it ran: ${shown}`;
    }
    if (freshness === "stale" && !stopped && !outcome.ran.includes(target)) {
      return `why told that ${target} is stale, and it did not run: ${shown}`;
    }
    if (reasons.some((reason) => reason.kind === "target" && !damaged.has(reason.path))) {
      return `why told of a changed target that nobody changed: ${target}: ${shown}`;
    }
  }
  return undefined;
}

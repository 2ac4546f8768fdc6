import { failureOf, problemsOf } from "./failure.ts";
import { isFresh } from "../decide.ts";
import type { BuildOptions, Summary } from "./options.ts";
import type { Emit, LaterEffect, PlannedEffect, Reason, StepStatus } from "./events.ts";
import { stepsBelow, type Graph, type StepId } from "../model.ts";
import { ProblemError } from "../../problem/index.ts";
import { isEffect, reasonsFor, stepName } from "./reasons.ts";
import { currentRecorder } from "./recorder.ts";
import { planEffect, runStep } from "./run-step.ts";
import type { Prepared, StepContext } from "./prepare.ts";
import type { Session } from "./session.ts";

/**
 * Where a step is on its way. Every needed step is in exactly one of these:
 *
 *   pending ─ all below have ended ─→ fresh
 *      │                        └───→ ready → running → ran | failed
 *      │                                ↑        ↓
 *      │                             consent ← held      an effect for which a person is asked
 *      └─ something below failed, an interrupt, no consent ─→ skipped
 */
const At = {
  unneeded: 0,
  pending: 1,
  ready: 2,
  running: 3,
  held: 4,
  fresh: 5,
  ran: 6,
  failed: 7,
  skipped: 8,
} as const;
type At = (typeof At)[keyof typeof At];

const statusOf: Partial<Record<At, StepStatus>> = {
  [At.fresh]: "fresh",
  [At.ran]: "ran",
  [At.failed]: "failed",
  [At.skipped]: "skipped",
};

type Dependents = ReadonlyMap<StepId, readonly StepId[]>;

/**
 * One walk over the graph: decides each needed step when all steps below it have ended, and runs the stale
 * ones.
 */
export class Scheduler {
  readonly #session: Session;
  readonly #graph: Graph;
  readonly #options: BuildOptions;
  readonly #emit: Emit;
  readonly #signal: AbortSignal;
  readonly #at: Uint8Array;
  /** How many of its needs are made by steps that have not ended. */
  readonly #openInputs: Uint32Array;
  readonly #reasons = new Map<StepId, readonly Reason[]>();
  readonly #ready: StepId[] = [];
  #next = 0;
  #running = 0;
  #held: { readonly step: StepId; readonly planned: PlannedEffect; readonly prepared: Prepared }[] = [];
  /** Effects that a person consented to, with what their plan was made from. */
  readonly #approved = new Map<StepId, Prepared>();
  #stopping = false;
  readonly #exits = new Set<number>();
  /** Effects that wait for a person. */
  readonly #needsPerson = new Set<StepId>();
  #wake: () => void = () => {};
  /** For each running recipe how to end it when nothing is left that it could wait for. */
  readonly #giveUp = new Set<(why: Error) => void>();

  constructor(
    session: Session,
    graph: Graph,
    needed: Uint8Array,
    options: BuildOptions,
    emit: Emit,
    signal: AbortSignal,
  ) {
    this.#session = session;
    this.#graph = graph;
    this.#options = options;
    this.#emit = emit;
    this.#signal = signal;
    this.#at = needed.map((one) => (one === 1 ? At.pending : At.unneeded));
    this.#openInputs = new Uint32Array(needed.length);
  }

  get hasWork(): boolean {
    return this.#ready.length > 0;
  }

  /**
   * One pass in topological order: decides every step of which all steps below are fresh. The others wait.
   */
  decideAll(): void {
    for (let step = 0; step < this.#at.length; step++) {
      if (this.#at[step] !== At.pending) {
        continue;
      }
      let open = 0;
      for (const below of stepsBelow(this.#graph, step)) {
        if (this.#at[below] !== At.fresh) {
          open++;
        }
      }
      this.#openInputs[step] = open;
      if (open === 0) {
        this.#decide(step);
      }
    }
  }

  /** Tells the steps that check() found fresh. */
  reportFresh(): void {
    this.#at.forEach((at, step) => at === At.fresh && this.#tell(step, At.fresh, 0));
  }

  /** Returns whether the step is fresh; otherwise it is ready to run. */
  #decide(step: StepId): boolean {
    const { state, observer } = this.#session;
    const forced = this.#options.force;
    if (!forced && isFresh(state, this.#graph, step, observer, () => false)) {
      this.#at[step] = At.fresh;
      return true;
    }
    const reasons = reasonsFor(state, this.#graph, step, observer);
    this.#reasons.set(step, forced ? [{ kind: "forced" }, ...reasons] : reasons);
    this.#at[step] = At.ready;
    this.#ready.push(step);
    return false;
  }

  async execute(runner: StepContext): Promise<void> {
    const dependents = this.#dependents();
    const abort = (): void => {
      this.#stopping = true;
      this.#wake();
    };
    this.#signal.addEventListener("abort", abort);
    // Node would end the process as if all were well.
    const empty = (): void =>
      this.#giveUp.forEach((giveUp) => giveUp(new Error("it waits for something that can never come")));
    // What a recipe started and did not wait for: without a listener Node ends, and leaves the others'
    // children behind.
    const stray = (error: unknown): void => {
      // Its recipe has been told already (see started() in recipe.ts).
      const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
      if ((code === "EMFILE" || code === "ENFILE") && syscall?.startsWith("spawn") === true) {
        return;
      }
      const step = currentRecorder.getStore()?.step;
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      const what = `something that ${step === undefined ? "a recipe" : `the recipe of ${step}`} left behind failed: ${name}: ${message}`;
      this.#emit({
        type: "problem",
        ...(step === undefined ? {} : { target: step }),
        problem: { code: "DP239", what, fix: "let the recipe wait for all that it starts" },
      });
      this.#exits.add(1);
      this.#stopping ||= !this.#options.keepGoing;
      this.#wake();
    };
    process.on("beforeExit", empty).on("uncaughtException", stray).on("unhandledRejection", stray);
    let breath = performance.now();
    let full: unknown;
    if (this.#signal.aborted) {
      this.#stopping = true;
    }
    for (;;) {
      while (!this.#stopping && this.#next < this.#ready.length && this.#running < this.#options.jobs) {
        this.#start(runner, this.#ready[this.#next++]!, dependents);
      }
      // Recipes that never wait would keep out signals, and who asks for the lock.
      if (performance.now() - breath > 50) {
        await new Promise((resolve) => setImmediate(resolve));
        breath = performance.now();
        continue;
      }
      if (this.#running > 0) {
        full ??= failureOf(() => runner.store.journal.flush());
        this.#stopping ||= full !== undefined;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      } else if (!this.#stopping && this.#next < this.#ready.length) {
        continue;
      } else if (this.#held.length > 0 && !this.#stopping) {
        await this.#askForHeld(dependents);
      } else {
        break;
      }
    }
    this.#signal.removeEventListener("abort", abort);
    // A rejection is told of when the microtasks are done.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("beforeExit", empty).off("uncaughtException", stray).off("unhandledRejection", stray);
    // Only steps that an interrupt or a failure kept from running are left.
    for (let step = 0; step < this.#at.length; step++) {
      const left = this.#at[step] === At.pending || this.#at[step] === At.ready || this.#at[step] === At.held;
      if (left) {
        this.#end(step, At.skipped, 0, dependents);
      }
    }
    if (full !== undefined) {
      throw full;
    }
  }

  /** For each step the needed ones that wait for it, as often as they need something of it. */
  #dependents(): Dependents {
    const dependents = new Map<StepId, StepId[]>();
    for (let step = 0; step < this.#at.length; step++) {
      if (this.#at[step] !== At.pending) {
        continue;
      }
      for (const below of stepsBelow(this.#graph, step)) {
        const known = dependents.get(below);
        if (known === undefined) {
          dependents.set(below, [step]);
        } else {
          known.push(step);
        }
      }
    }
    return dependents;
  }

  #start(runner: StepContext, step: StepId, dependents: Dependents): void {
    const effect = isEffect(this.#graph, step);
    if (effect && this.#options.effects === "hold") {
      return this.#hold(step, dependents);
    }
    this.#at[step] = At.running;
    this.#running++;
    const begin = performance.now();
    const approved = this.#approved.get(step);
    const run =
      effect && approved === undefined
        ? this.#runEffect(runner, step)
        : runStep(runner, step, approved).then(() => At.ran);
    void this.#finish(step, run, begin, dependents);
  }

  /**
   * An effect for which somebody must be asked is held until nothing else can go on, so that there is one
   * question for all.
   */
  async #runEffect(runner: StepContext, step: StepId): Promise<At> {
    const { plan, prepared } = await planEffect(runner, step);
    if (plan === undefined || plan.changes.length === 0) {
      await runStep(runner, step, prepared);
      return At.ran;
    }
    const planned = { name: this.#graph.effectName[step]!, changes: plan.changes };
    this.#held.push({ step, planned, prepared });
    return At.held;
  }

  async #finish(step: StepId, run: Promise<At>, begin: number, dependents: Dependents): Promise<void> {
    let at: At;
    let giveUp: (why: Error) => void = () => {};
    try {
      at = await new Promise<At>((resolve, reject) => {
        giveUp = reject;
        this.#giveUp.add(giveUp);
        run.then(resolve, reject);
      });
    } catch (error) {
      at = At.failed;
      const target = stepName(this.#session.state, this.#graph, step);
      if (!this.#signal.aborted) {
        for (const problem of problemsOf(this.#session.root, target, error)) {
          this.#emit({ type: "problem", target, problem });
        }
      }
      // What waits for a person is no reason to leave other work undone.
      const exit = error instanceof ProblemError ? error.exitCode : 1;
      this.#exits.add(exit);
      if (exit === 4) {
        this.#needsPerson.add(step);
      } else if (!this.#options.keepGoing) {
        this.#stopping = true;
      }
    }
    this.#giveUp.delete(giveUp);
    this.#running--;
    if (at === At.held) {
      this.#at[step] = At.held;
    } else {
      this.#end(step, at, performance.now() - begin, dependents);
    }
    this.#wake();
  }

  /** Writes down how a step ended and lets go what waited for it. */
  #end(step: StepId, how: At, ms: number, dependents: Dependents): void {
    this.#at[step] = how;
    this.#tell(step, how, ms);
    this.#release(step, how === At.ran, dependents);
  }

  #tell(step: StepId, how: At, ms: number): void {
    const target = stepName(this.#session.state, this.#graph, step);
    const label = this.#graph.effectName[step]!;
    const reasons =
      this.#reasons.get(step) ??
      (how === At.fresh ? [] : [{ kind: "upstream" as const, target: this.#cause(step) }]);
    this.#emit({
      type: "step",
      target,
      ...(label === "" ? {} : { effect: label }),
      status: statusOf[how]!,
      ...(this.#needsPerson.has(step) ? { needsPerson: true } : {}),
      reasons,
      ms: Math.round(ms),
    });
  }

  /**
   * What waits for a step can be decided now, or cannot be made. Iterative: a chain of any length is fine.
   */
  #release(step: StepId, good: boolean, dependents: Dependents): void {
    const released: [StepId, boolean][] = [[step, good]];
    for (let next = released.pop(); next !== undefined; next = released.pop()) {
      const [below, made] = next;
      for (const dependent of dependents.get(below) ?? []) {
        if (this.#at[dependent] !== At.pending) {
          continue;
        }
        if (!made) {
          this.#at[dependent] = At.skipped;
          this.#tell(dependent, At.skipped, 0);
          released.push([dependent, false]);
        } else if (--this.#openInputs[dependent]! === 0 && this.#decide(dependent)) {
          this.#tell(dependent, At.fresh, 0);
          released.push([dependent, true]);
        }
      }
    }
  }

  #cause(step: StepId): string {
    for (const below of stepsBelow(this.#graph, step)) {
      if (this.#at[below] !== At.fresh && this.#at[below] !== At.ran) {
        return stepName(this.#session.state, this.#graph, below);
      }
    }
    return stepName(this.#session.state, this.#graph, step);
  }

  async #askForHeld(dependents: Dependents): Promise<void> {
    const held = this.#held;
    this.#held = [];
    const effects = held.map((one) => one.planned);
    this.#emit({ type: "plan", effects, later: this.#later(held.map((one) => one.step)) });
    if (await this.#options.consent(effects)) {
      for (const { step, prepared } of held) {
        this.#approved.set(step, prepared);
      }
      this.#ready.push(...held.map((one) => one.step));
      return;
    }
    for (const { step } of held) {
      this.#needsPerson.add(step);
      this.#end(step, At.skipped, 0, dependents);
    }
  }

  /**
   * The effects that wait for these ones or for what these let go on, each with the nearest effect that it
   * waits for.
   */
  #later(held: readonly StepId[]): LaterEffect[] {
    const waitsFor = new Map<StepId, string>(held.map((step) => [step, this.#graph.effectName[step]!]));
    const later: LaterEffect[] = [];
    for (let step = 0; step < this.#at.length; step++) {
      if (this.#at[step] !== At.pending) {
        continue;
      }
      const below = [...stepsBelow(this.#graph, step)].find((one) => waitsFor.has(one));
      if (below === undefined) {
        continue;
      }
      const after = waitsFor.get(below)!;
      const name = this.#graph.effectName[step]!;
      waitsFor.set(step, name === "" ? after : name);
      if (name !== "") {
        later.push({ name, after });
      }
    }
    return later;
  }

  /**
   * Watch: an effect does not run. What needs it goes on with the facts that it gave last, if it ever ran.
   */
  #hold(step: StepId, dependents: Dependents): void {
    const { state } = this.#session;
    const fact = this.#graph.out[this.#graph.outStart[step + 1]! - 1]!;
    this.#at[step] = At.skipped;
    this.#needsPerson.add(step);
    this.#tell(step, At.skipped, 0);
    this.#release(step, state.texts.has(state.nodeDigest[fact]!), dependents);
  }

  summary(): Summary {
    const count = (at: At): number => this.#at.reduce((sum, one) => (one === at ? sum + 1 : sum), 0);
    return {
      ran: count(At.ran),
      fresh: count(At.fresh),
      failed: count(At.failed),
      skipped: count(At.skipped),
      needsPerson: this.#needsPerson.size,
      exit: [2, 1, 4].find((code) => this.#exits.has(code)) ?? (this.#needsPerson.size > 0 ? 4 : 0),
    };
  }
}

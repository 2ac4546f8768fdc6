import { guardProcess } from "./guard-process.ts";
import { laterEffects } from "./later.ts";
import { ReadyQueue } from "./ready-queue.ts";
import { blockedBy, dependentsOf, type Dependents } from "./dependents.ts";
import { At, isOpen, statusOf, summarize } from "./step-state.ts";
import { failureOf, problemsOf } from "./failure.ts";
import { isFresh } from "../decide.ts";
import type { SchedulerInput, Summary } from "./options.ts";
import type { PlannedEffect, Reason } from "./events.ts";
import { stepsBelow, type StepId } from "../model.ts";
import { ProblemError } from "../../problem/index.ts";
import { isEffect, reasonsFor, stepName } from "./reasons.ts";
import { planEffect, runStep } from "./run-step.ts";
import type { Prepared, StepContext } from "./prepare.ts";

/** One walk over the graph: decides each needed step when all steps below have ended, and runs the stale ones. */
export class Scheduler {
  readonly #input: SchedulerInput;
  readonly #at: Uint8Array;
  /** How many of its needs are made by steps that have not ended. */
  readonly #openInputs: Uint32Array;
  readonly #reasons = new Map<StepId, readonly Reason[]>();
  readonly #queue: ReadyQueue;
  #isRemote: (step: StepId) => boolean = () => false;
  #held: { readonly step: StepId; readonly planned: PlannedEffect; readonly prepared: Prepared }[] = [];
  /** Effects that a person consented to, with what their plan was made from. */
  readonly #approved = new Map<StepId, Prepared>();
  #stopping = false;
  readonly #exits = new Set<number>();
  /** Effects that wait for a person. */
  readonly #needsPerson = new Set<StepId>();
  #wake: () => void = () => {};
  /** How to end each running recipe when nothing is left that it could wait for. */
  readonly #giveUp = new Set<(why: Error) => void>();

  /** `needed`: the steps that the targets need, as a 0/1 mask. */
  constructor(needed: Uint8Array, input: SchedulerInput) {
    this.#input = input;
    this.#at = needed.map((one) => (one === 1 ? At.pending : At.unneeded));
    this.#openInputs = new Uint32Array(needed.length);
    const { jobs, remoteJobs = jobs } = input.options;
    this.#queue = new ReadyQueue(jobs, remoteJobs, (step) => this.#isRemote(step));
  }

  readonly hasWork = (): boolean => !this.#queue.isEmpty;

  /**
   * One pass in topological order: decides every step of which all steps below are fresh; the others stay
   * pending.
   */
  decideAll(): void {
    for (let step = 0; step < this.#at.length; step++) {
      if (this.#at[step] !== At.pending) {
        continue;
      }
      const below = stepsBelow(this.#input.graph, step);
      this.#openInputs[step] = below.filter((one) => this.#at[one] !== At.fresh).length;
      if (this.#openInputs[step] === 0) {
        this.#decide(step);
      }
    }
  }

  /** Reports the steps that decideAll() found fresh. */
  reportFresh(): void {
    this.#at.forEach((at, step) => at === At.fresh && this.#report(step, At.fresh, 0));
  }

  /** Returns whether the step is fresh; otherwise it is ready to run. */
  #decide(step: StepId): boolean {
    const { state, observer } = this.#input.session;
    const forced = this.#input.options.force;
    if (!forced && isFresh(state, this.#input.graph, step, observer, () => false)) {
      this.#at[step] = At.fresh;
      return true;
    }
    const reasons = reasonsFor(state, this.#input.graph, step, observer);
    this.#reasons.set(step, forced ? [{ kind: "forced" }, ...reasons] : reasons);
    this.#at[step] = At.ready;
    this.#queue.push(step);
    return false;
  }

  async execute(runner: StepContext): Promise<void> {
    const dependents = dependentsOf(this.#input.graph, this.#at);
    this.#isRemote = (step) => runner.declarations[step]!.effect?.remote === true;
    const abort = (): void => {
      this.#stopping = true;
      this.#wake();
    };
    this.#input.signal.addEventListener("abort", abort);
    const unguard = guardProcess(
      () => this.#giveUp.forEach((giveUp) => giveUp(new Error("the recipe's promise can never settle"))),
      (problem, step) => {
        this.#input.emit({ type: "problem", ...(step === undefined ? {} : { target: step }), problem });
        this.#exits.add(1);
        this.#stopping ||= !this.#input.options.keepGoing;
        this.#wake();
      },
    );
    this.#input.emit({ type: "begin", steps: this.#at.filter(isOpen).length });
    let breath = performance.now();
    let full: Error | undefined;
    this.#stopping ||= this.#input.signal.aborted;
    for (;;) {
      // Recipes that never wait would keep out signals, and who asks for the lock.
      const isLate = (): boolean => performance.now() - breath > 50;
      for (let step; !this.#stopping && !isLate() && (step = this.#queue.take()) !== undefined;) {
        this.#start(runner, step, dependents);
      }
      if (isLate()) {
        await new Promise((resolve) => setImmediate(resolve));
        breath = performance.now();
        continue;
      }
      if (this.#queue.running > 0) {
        full ??= failureOf(() => runner.store.journal.flush());
        this.#stopping ||= full !== undefined;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      } else if (!this.#stopping && !this.#queue.isEmpty) {
        continue;
      } else if (this.#held.length > 0 && !this.#stopping) {
        await this.#askForHeld(dependents);
      } else {
        break;
      }
    }
    this.#input.signal.removeEventListener("abort", abort);
    // A rejection is reported once the microtasks are done.
    await new Promise((resolve) => setImmediate(resolve));
    unguard();
    // Only steps that an interrupt or a failure kept from running are left.
    this.#at.forEach((at, step) => isOpen(at) && this.#end(step, At.skipped, 0, dependents));
    if (full !== undefined) {
      throw full;
    }
  }

  #start(runner: StepContext, step: StepId, dependents: Dependents): void {
    const effect = isEffect(this.#input.graph, step);
    if (effect && this.#input.options.effects === "hold") {
      this.#queue.ended(step);
      return this.#hold(step, dependents);
    }
    this.#at[step] = At.running;
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
    const name = this.#input.graph.effectName[step]!;
    const planned = { name, changes: plan.changes, inputs: prepared.recorder.digest() };
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
      this.#failed(step, error);
    }
    this.#giveUp.delete(giveUp);
    this.#queue.ended(step);
    if (at === At.held) {
      this.#at[step] = At.held;
    } else {
      this.#end(step, at, performance.now() - begin, dependents);
    }
    this.#wake();
  }

  #failed(step: StepId, error: unknown): void {
    const target = stepName(this.#input.session.state, this.#input.graph, step);
    for (const problem of this.#input.signal.aborted
      ? []
      : problemsOf(this.#input.session.root, target, error)) {
      this.#input.emit({ type: "problem", target, problem });
    }
    const exit = error instanceof ProblemError ? error.exitCode : 1;
    this.#exits.add(exit);
    // What needs a person is no reason to leave other work undone.
    if (exit === 4) {
      this.#needsPerson.add(step);
    } else if (!this.#input.options.keepGoing) {
      this.#stopping = true;
    }
  }

  /** Writes down how a step ended and lets go what waited for it. */
  #end(step: StepId, how: At, ms: number, dependents: Dependents): void {
    this.#at[step] = how;
    this.#report(step, how, ms);
    this.#release(step, how === At.ran, dependents);
  }

  #report(step: StepId, how: At, ms: number): void {
    const { session, graph, emit } = this.#input;
    const name = (one: StepId): string => stepName(session.state, graph, one);
    const blocked = (): Reason[] => [{ kind: "upstream", target: name(blockedBy(graph, this.#at, step)) }];
    const effect = graph.effectName[step]!;
    emit({
      type: "step",
      target: name(step),
      ...(effect === "" ? {} : { effect }),
      status: statusOf[how]!,
      ...(this.#needsPerson.has(step) ? { needsPerson: true } : {}),
      reasons: this.#reasons.get(step) ?? (how === At.fresh ? [] : blocked()),
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
          this.#report(dependent, At.skipped, 0);
          released.push([dependent, false]);
        } else if (--this.#openInputs[dependent]! === 0 && this.#decide(dependent)) {
          this.#report(dependent, At.fresh, 0);
          released.push([dependent, true]);
        }
      }
    }
  }

  async #askForHeld(dependents: Dependents): Promise<void> {
    const held = this.#held;
    this.#held = [];
    const effects = held.map((one) => one.planned);
    this.#input.emit({
      type: "plan",
      effects,
      later: laterEffects(
        this.#input.graph,
        this.#at,
        held.map((one) => one.step),
      ),
    });
    if (await this.#input.options.consent(effects)) {
      for (const { step, prepared } of held) {
        this.#approved.set(step, prepared);
      }
      this.#queue.push(...held.map((one) => one.step));
      return;
    }
    for (const { step } of held) {
      this.#needsPerson.add(step);
      this.#end(step, At.skipped, 0, dependents);
    }
  }

  /**
   * Watch: an effect does not run. What needs it goes on with the facts that it gave last, if it ever ran.
   */
  #hold(step: StepId, dependents: Dependents): void {
    const { state } = this.#input.session;
    const fact = this.#input.graph.out[this.#input.graph.outStart[step + 1]! - 1]!;
    this.#at[step] = At.skipped;
    this.#needsPerson.add(step);
    this.#report(step, At.skipped, 0);
    this.#release(step, state.texts.has(state.nodeDigest[fact]!), dependents);
  }

  summary(): Summary {
    return summarize(this.#at, this.#needsPerson.size, this.#exits);
  }
}

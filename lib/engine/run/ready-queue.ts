import type { StepId } from "../model.ts";

/**
 * The steps that are ready, and how many may run at the same time: recipes need this machine, and effects that wait for
 * a service elsewhere need little of it.
 */
export class ReadyQueue {
  readonly #isRemote: (step: StepId) => boolean;
  readonly #local: Line;
  readonly #remote: Line;
  /** Not known yet to be one or the other: that takes the declarations. */
  readonly #all: StepId[] = [];
  #next = 0;

  constructor(jobs: number, remoteJobs: number, isRemote: (step: StepId) => boolean) {
    this.#isRemote = isRemote;
    this.#local = { steps: [], next: 0, running: 0, limit: jobs };
    this.#remote = { steps: [], next: 0, running: 0, limit: remoteJobs };
  }

  push(...steps: StepId[]): void {
    for (const step of steps) {
      this.#all.push(step);
    }
  }

  get isEmpty(): boolean {
    return this.#next >= this.#all.length && [this.#local, this.#remote].every(isDone);
  }

  get running(): number {
    return this.#local.running + this.#remote.running;
  }

  /** The next step that may begin now; it counts as running until ended() is called. */
  take(): StepId | undefined {
    while (this.#next < this.#all.length) {
      const step = this.#all[this.#next++]!;
      this.#lineOf(step).steps.push(step);
    }
    const line = [this.#remote, this.#local].find((one) => !isDone(one) && one.running < one.limit);
    if (line === undefined) {
      return undefined;
    }
    line.running++;
    return line.steps[line.next++];
  }

  ended(step: StepId): void {
    this.#lineOf(step).running--;
  }

  #lineOf(step: StepId): Line {
    return this.#isRemote(step) ? this.#remote : this.#local;
  }
}

interface Line {
  readonly steps: StepId[];
  next: number;
  running: number;
  readonly limit: number;
}

function isDone({ steps, next }: Line): boolean {
  return next >= steps.length;
}

/** A terminal sees how far it is so often, anything else gets a line so often, in milliseconds. */
const TERMINAL_EVERY = 200;
const LINE_EVERY = 30_000;

/** How far a run of many steps is, and how long it may still take. */
export class Progress {
  readonly #every: number;
  #total = 0;
  #done = 0;
  #begin = 0;
  #last = 0;

  constructor(isTerminal: boolean) {
    this.#every = isTerminal ? TERMINAL_EVERY : LINE_EVERY;
  }

  /** A run begins; `total`: how many steps it has at the most. */
  begin(total: number, now: number): void {
    this.#total = total;
    this.#done = 0;
    this.#begin = this.#last = now;
  }

  /** One step has ended: how far it is, where it is time to say so. */
  step(what: string, now: number): string | undefined {
    this.#done++;
    if (now - this.#last < this.#every || this.#done >= this.#total) {
      return undefined;
    }
    this.#last = now;
    const left = ((now - this.#begin) / this.#done) * (this.#total - this.#done);
    const counts = `${this.#done.toLocaleString("en-US")} of ${this.#total.toLocaleString("en-US")} steps`;
    return `${counts}, about ${duration(left)} left  ${what}`;
  }
}

function duration(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

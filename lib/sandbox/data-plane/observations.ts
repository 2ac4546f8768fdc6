import type { IncomingMessage } from "node:http";

/** Something that the data plane saw go wrong with a client. */
export interface Observation {
  /** Seconds since 1970. */
  readonly at: number;
  /** The client's id, or the name in its certificate; undefined where it did not get that far. */
  readonly who: string | undefined;
  /** Its address and port. */
  readonly from: string;
  readonly what: string;
}

/** Where the account's API tells what was seen lately, for `dospesos check`. */
export const OBSERVATIONS_PATH = "/-/dospesos/observations";

const KEPT = 100;

/** What was seen last. */
export class Observations {
  readonly #seen: Observation[] = [];
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Says it to who watches the sandbox, and keeps it for who asks later. */
  note(who: string | undefined, from: string | undefined, what: string): void {
    const where = from ?? "an unknown address";
    this.#log(`${who ?? "a client"} (${where}) ${what}`);
    this.#seen.push({ at: Date.now() / 1000, who, from: where, what });
    this.#seen.splice(0, this.#seen.length - KEPT);
  }

  /** The answer to a request for them; undefined where it is another request. */
  answer({ url }: IncomingMessage): string | undefined {
    return url === OBSERVATIONS_PATH ? JSON.stringify(this.#seen) : undefined;
  }
}

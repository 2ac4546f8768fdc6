import { setTimeout as pause } from "node:timers/promises";
import type { IoTClient } from "@aws-sdk/client-iot";

/** After a refusal nothing more is sent of that operation for so long, in milliseconds. */
const REFUSED_PAUSE = 500;
/** What a refusal leaves of the rate, the least that is left of it, and what each answer gives back. */
const [SLOWER, SLOWEST, FASTER] = [0.7, 0.1, 0.01];

/** Errors by which AWS says that it was asked too often. */
const REFUSALS = ["ThrottlingException", "TooManyRequestsException", "Throttling"];

/**
 * The pace at which calls are sent: of each operation as many a second as its quota allows, evenly spread. Where AWS
 * refuses all the same, since others call it too, the operation becomes slower, and faster again as answers come.
 */
export class Pace {
  readonly #quotas: Readonly<Record<string, number>>;
  readonly #operations = new Map<string, OperationPace>();

  /** `quotas`: calls a second by operation, e.g. AttachPolicy. */
  constructor(quotas: Readonly<Record<string, number>>) {
    this.#quotas = quotas;
  }

  /** Resolves when it is the turn of a call. */
  async turn(operation: string): Promise<void> {
    const rate = this.#quotas[operation];
    if (rate === undefined) {
      return;
    }
    let known = this.#operations.get(operation);
    if (known === undefined) {
      this.#operations.set(operation, (known = { next: 0, factor: 1 }));
    }
    const now = performance.now();
    const at = Math.max(now, known.next);
    known.next = at + 1000 / (rate * known.factor);
    if (at - now >= 1) {
      await pause(at - now);
    }
  }

  answered(operation: string): void {
    const known = this.#operations.get(operation);
    if (known !== undefined) {
      known.factor = Math.min(1, known.factor + FASTER);
    }
  }

  refused(operation: string): void {
    const known = this.#operations.get(operation);
    if (known !== undefined) {
      known.factor = Math.max(SLOWEST, known.factor * SLOWER);
      known.next = Math.max(known.next, performance.now() + REFUSED_PAUSE);
    }
  }
}

interface OperationPace {
  /** When the next call may be sent. */
  next: number;
  /** What is left of the rate. */
  factor: number;
}

type Middleware = Parameters<IoTClient["middlewareStack"]["addRelativeTo"]>[0];
type Send = (args: never) => Promise<unknown>;

/** Sends each try of a client's calls in its turn. */
export function keepPace(client: IoTClient, pace: Pace): void {
  const inTurn =
    (next: Send, { commandName = "" }: { readonly commandName?: string }): Send =>
    async (args) => {
      const operation = commandName.replace(/Command$/, "");
      await pace.turn(operation);
      try {
        const result = await next(args);
        pace.answered(operation);
        return result;
      } catch (error) {
        if (REFUSALS.includes(error instanceof Error ? error.name : "")) {
          pace.refused(operation);
        }
        throw error;
      }
    };
  // Behind the retries: each of them takes its turn.
  client.middlewareStack.addRelativeTo(inTurn as unknown as Middleware, {
    relation: "after",
    toMiddleware: "retryMiddleware",
    name: "paceMiddleware",
    override: true,
  });
}

import type { IoTClient } from "@aws-sdk/client-iot";

/** No answer came to a call that may not be sent twice: AWS may have done what was asked. */
export class LostAnswer extends Error {
  /** What happened in place of the answer. */
  readonly instead: Error;

  constructor(instead: Error) {
    // Not as a cause: by that the SDK would see an error that it retries.
    super(instead.message);
    this.instead = instead;
  }
}

/** Connections that end between a request and its answer (`man 3 errno`), and the SDK's own name for that. */
const CUT_OFF = ["ECONNRESET", "EPIPE", "ETIMEDOUT", "TimeoutError"];

function isLost(error: unknown): error is Error {
  const { name, code, $metadata } = error as Error & {
    readonly code?: string;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  return CUT_OFF.includes(code ?? name) || ($metadata?.httpStatusCode ?? 0) >= 500;
}

interface Command {
  readonly middlewareStack: { addRelativeTo: (middleware: never, where: never) => void };
}

type Middleware = Parameters<IoTClient["middlewareStack"]["addRelativeTo"]>[0];
type Send = (args: never) => Promise<unknown>;

/**
 * The same command, which the SDK does not send again where its answer is lost: it then ends with LostAnswer. What AWS
 * refused, or what was never sent, is still sent again.
 */
export function notTwice<C extends Command>(command: C): C {
  const once =
    (next: Send): Send =>
    async (args) => {
      try {
        return await next(args);
      } catch (error) {
        throw isLost(error) ? new LostAnswer(error) : error;
      }
    };
  const where = { relation: "after", toMiddleware: "retryMiddleware", name: "notTwiceMiddleware" };
  command.middlewareStack.addRelativeTo(once as unknown as Middleware as never, where as never);
  return command;
}

import { setTimeout as pause } from "node:timers/promises";

/**
 * How long AWS may take until what was detached counts as detached: "it can take up to five minutes"
 * (https://docs.aws.amazon.com/iot/latest/apireference/API_DeletePolicy.html), and DetachThingPrincipal "is asynchronous"
 * (https://docs.aws.amazon.com/iot/latest/apireference/API_DetachThingPrincipal.html). In milliseconds.
 */
const LIMIT = 330_000;
const FIRST = 1000;
const LONGEST = 30_000;

/**
 * Whether an error is the answer to who deletes something that AWS has not seen detached, deactivated or made yet. The
 * text is that of the SDK or of Terraform's provider.
 */
export function isNotYet(text: string): boolean {
  return /DeleteConflict|CertificateStateException|principals? attached|attached to (?:it|one or more)|must be detached|role.{0,80}cannot be assumed/i.test(
    text,
  );
}

export interface Patience {
  readonly signal?: AbortSignal;
  /** Told before each pause: how many seconds. */
  readonly report?: (seconds: number) => void;
}

/**
 * Does something again, after longer and longer pauses, while it fails for `isAgain`'s reasons; after five and a half
 * minutes the last error is thrown.
 */
export async function eventually<T>(
  body: (attempt: number) => Promise<T>,
  isAgain: (error: unknown) => boolean,
  { signal, report }: Patience = {},
): Promise<T> {
  let waited = 0;
  for (let attempt = 0; ; attempt++) {
    try {
      return await body(attempt);
    } catch (error) {
      const wait = Math.min(FIRST * 2 ** attempt, LONGEST);
      if (waited + wait > LIMIT || !isAgain(error)) {
        throw error;
      }
      report?.(wait / 1000);
      await pause(wait, undefined, { signal });
      waited += wait;
    }
  }
}

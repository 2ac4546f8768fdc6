import { QUOTAS } from "../aws/quotas.ts";
import { AwsError } from "./operation.ts";

/** Refuses a call of an operation that comes sooner than AWS would take it. */
export type Throttle = (region: string, operation: string) => void;

/** A token bucket for each operation, as AWS IoT has one for each account and region: a second's calls at once. */
export function newThrottle(now: () => number = () => performance.now()): Throttle {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return (region, operation) => {
    const rate = QUOTAS[operation];
    if (rate === undefined) {
      return;
    }
    const key = `${region} ${operation}`;
    const at = now();
    const known = buckets.get(key) ?? { tokens: rate, at };
    const tokens = Math.min(rate, known.tokens + ((at - known.at) / 1000) * rate);
    if (tokens < 1) {
      buckets.set(key, { tokens, at });
      throw new AwsError(
        400,
        "ThrottlingException",
        `Rate exceeded: ${operation} is allowed ${rate} times a second`,
      );
    }
    buckets.set(key, { tokens: tokens - 1, at });
  };
}

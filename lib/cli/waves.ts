import { inParallel } from "../parallel.ts";
import { shown } from "../problem/index.ts";
import type { ValueOption } from "./options.ts";
import { count, text } from "./options.ts";

/** Options of what is done to many devices, one group of them after the other. */
export const waveOptions = {
  group: text("NAME", "only the cores of this thing group"),
  limit: count("at most N of those that are left to do"),
  canary: count("N of them first; the others only if none of those failed"),
  maxFailures: failuresOption(),
} as const;

/** How many may fail before no other is begun: a number, or a part of all. */
export interface MaxFailures {
  readonly number?: number;
  readonly percent?: number;
}

function failuresOption(): ValueOption<MaxFailures | undefined> {
  return {
    type: "string",
    placeholder: "N|N%",
    help: "begin no other once more than N, or more than N of a hundred, have failed",
    default: undefined,
    parse: (given) => {
      const [, digits, sign] = /^(\d{1,6})(%?)$/.exec(given) ?? [];
      const number = Number(digits);
      if (digits === undefined || (sign === "%" && number > 100)) {
        return { wrong: `takes a number or a percentage, as 5 or 2%, not ${shown(given)}` };
      }
      return { value: sign === "%" ? { percent: number } : { number } };
    },
  };
}

export interface Waves {
  readonly jobs: number;
  readonly canary: number | undefined;
  readonly maxFailures: MaxFailures | undefined;
  readonly signal: AbortSignal;
}

export interface WaveResult<T> {
  readonly failed: readonly { readonly target: T; readonly error: unknown }[];
  /** Those that were not begun, since too many others failed or a person interrupted it. */
  readonly left: readonly T[];
}

/**
 * Does the work for each target: for the canaries first, and for the others if none of those failed; and begins no
 * other once too many have failed. What is under way ends.
 */
export async function inWaves<T>(
  targets: readonly T[],
  { jobs, canary = 0, maxFailures, signal }: Waves,
  work: (target: T) => Promise<void>,
): Promise<WaveResult<T>> {
  const failed: { target: T; error: unknown }[] = [];
  const begun = new Set<T>();
  const most = mostFailures(maxFailures, targets.length);
  const run = async (wave: readonly T[]): Promise<void> => {
    await inParallel(jobs, wave, async (target) => {
      if (signal.aborted || failed.length > most) {
        return;
      }
      begun.add(target);
      try {
        await work(target);
      } catch (error) {
        failed.push({ target, error });
      }
    });
  };
  await run(targets.slice(0, canary));
  if (canary === 0 || failed.length === 0) {
    await run(targets.slice(canary));
  }
  return { failed, left: targets.filter((target) => !begun.has(target)) };
}

/** How many may fail and the others still be begun. */
function mostFailures(max: MaxFailures | undefined, all: number): number {
  if (max === undefined) {
    return Infinity;
  }
  return max.number ?? Math.floor(((max.percent ?? 0) / 100) * all);
}

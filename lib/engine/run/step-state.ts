import type { Summary } from "./options.ts";
import type { StepStatus } from "./events.ts";

/**
 * Where a step is on its way. Every needed step is in exactly one of these:
 *
 *   pending ─ all below have ended ─→ fresh
 *      │                        └───→ ready → running → ran | failed
 *      │                                ↑        ↓
 *      │                             consent ← held      an effect for which a person is asked
 *      └─ something below failed, an interrupt, no consent ─→ skipped
 */
export const At = {
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
export type At = (typeof At)[keyof typeof At];

/** How a step that ended is reported. */
export const statusOf: Partial<Record<At, StepStatus>> = {
  [At.fresh]: "fresh",
  [At.ran]: "ran",
  [At.failed]: "failed",
  [At.skipped]: "skipped",
};

/** Whether the step is needed, neither runs nor ended. */
export function isOpen(state: number): boolean {
  return state === At.pending || state === At.ready || state === At.held;
}

/** What became of a run. */
export function summarize(at: Uint8Array, needsPerson: number, exits: ReadonlySet<number>): Summary {
  const count = (state: At): number => at.reduce((sum, one) => (one === state ? sum + 1 : sum), 0);
  return {
    ran: count(At.ran),
    fresh: count(At.fresh),
    failed: count(At.failed),
    skipped: count(At.skipped),
    needsPerson,
    exit: [2, 1, 4].find((code) => exits.has(code)) ?? (needsPerson > 0 ? 4 : 0),
  };
}

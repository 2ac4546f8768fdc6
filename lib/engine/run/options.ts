import type { Graph } from "../model.ts";
import type { Session } from "./session.ts";
import type { Emit, PlannedEffect } from "./events.ts";

export interface BuildOptions {
  readonly targets: readonly string[];
  /** How many recipes may run at the same time. */
  readonly jobs: number;
  /** How many effects that wait for a service elsewhere may run beside those. Default: as many. */
  readonly remoteJobs?: number;
  readonly keepGoing: boolean;
  /** Runs every step that the targets need, stale or not. */
  readonly force: boolean;
  /** "hold": effects never run (watch); what needs them goes on with what they gave last. */
  readonly effects: "run" | "hold";
  /** Asks a person, once for all effects that are ready. */
  readonly consent: (effects: readonly PlannedEffect[]) => Promise<boolean>;
}

export interface Summary {
  readonly ran: number;
  readonly fresh: number;
  readonly failed: number;
  readonly skipped: number;
  /**
   * Effects that wait for a person: for consent, or for something that only a person can do. Those of them
   * that failed count as failed, too.
   */
  readonly needsPerson: number;
  /**
   * 2 if a recipe found wrong settings, else 1 if a step failed, else 4 if something waits for a person, else
   * 0.
   */
  readonly exit: number;
}

/** What a run works on, and how. */
export interface SchedulerInput {
  readonly session: Session;
  readonly graph: Graph;
  readonly options: BuildOptions;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

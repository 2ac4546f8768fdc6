import type { Problem } from "../../problem/index.ts";

/**
 * Why a step is stale, as `why`, `--dry-run`, `status` and `--json` tell it: made from what the decision
 * found.
 */
export type Reason =
  | { readonly kind: "new" | "interrupted" | "failed" | "recipe" | "forced" }
  | { readonly kind: "target"; readonly path: string; readonly change: "missing" | "edited" | "replaced" }
  | { readonly kind: "mode"; readonly path: string; readonly from: string; readonly to: string }
  | { readonly kind: "file"; readonly path: string; readonly change: "changed" | "appeared" | "vanished" }
  | { readonly kind: "setting" | "names"; readonly key: string; readonly from: unknown; readonly to: unknown }
  | { readonly kind: "environment"; readonly key: string }
  /** Another list of prerequisites, where nothing else says why; `added`: what it did not have. */
  | { readonly kind: "needs"; readonly added: readonly string[] }
  | {
      readonly kind: "glob";
      readonly pattern: string;
      readonly added: readonly string[];
      readonly removed: readonly string[];
    }
  | { readonly kind: "fact"; readonly name: string; readonly from: unknown; readonly to: unknown }
  /** Nothing is known to have changed, but a step that it needs is stale. */
  | { readonly kind: "upstream"; readonly target: string };

export type StepStatus = "ran" | "fresh" | "failed" | "skipped";

/** Everything that a run reports; what a person sees and the lines of --json are two renderings of it. */
export type EngineEvent =
  | BeginEvent
  | StepEvent
  | ProblemEvent
  | NoteEvent
  | RemovedEvent
  | WouldRemoveEvent
  | LockWaitEvent
  | PlanEvent;

/** A run begins. */
export interface BeginEvent {
  readonly type: "begin";
  /** How many steps it has at the most: what comes out as it was ends a run sooner. */
  readonly steps: number;
}

/** How one step ended. */
export interface StepEvent {
  readonly type: "step";
  /** Its first target. */
  readonly target: string;
  /** What a person calls it, where the step is an effect. */
  readonly effect?: string;
  readonly status: StepStatus;
  /** It was skipped since a person has to consent, or to do what only a person can. */
  readonly needsPerson?: true;
  /** Why it was stale. */
  readonly reasons: readonly Reason[];
  readonly ms: number;
}

/** Something that is wrong; docs/errors.md has the codes. */
export interface ProblemEvent {
  readonly type: "problem";
  /** The target of the step that failed. */
  readonly target?: string;
  readonly problem: Problem;
}

/** Something that a person should know, and that stops nothing. */
export interface NoteEvent {
  readonly type: "note";
  readonly what: string;
}

/** A built file that was removed: by clean, or since no rule makes it any more. */
export interface RemovedEvent {
  readonly type: "removed";
  readonly target: string;
}

/** build --dry-run: a file that a build would remove, since no rule makes it any more. */
export interface WouldRemoveEvent {
  readonly type: "would-remove";
  readonly target: string;
}

/** Another run has the project's lock; this one waits for it. */
export interface LockWaitEvent {
  readonly type: "lock-wait";
  /** Its command, process id and since when. */
  readonly holder: string;
}

/** What effects would change, for a person to consent to. */
export interface PlanEvent {
  readonly type: "plan";
  readonly effects: readonly PlannedEffect[];
  /** What cannot be planned yet. */
  readonly later?: readonly LaterEffect[];
}

/** An effect and the changes that it would make. */
export interface PlannedEffect {
  readonly name: string;
  readonly changes: readonly string[];
  /** Stands for all that the plan was made from: the same in another clone with the same files and settings. */
  readonly inputs?: string;
}

/** An effect that cannot be planned yet: it needs what another one gives. */
export interface LaterEffect {
  readonly name: string;
  readonly after: string;
}

export type Emit = (event: EngineEvent) => void;

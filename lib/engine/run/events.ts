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

/** Everything that a run tells; what a person sees and the lines of --json are two renderings of it. */
export type EngineEvent =
  /**
   * `effect` is what a person calls it, where the step is one; `waits`: for a person, who consents or does
   * what only a person can.
   */
  | {
      readonly type: "step";
      readonly target: string;
      readonly effect?: string;
      readonly status: StepStatus;
      readonly needsPerson?: true;
      readonly reasons: readonly Reason[];
      readonly ms: number;
    }
  | { readonly type: "problem"; readonly target?: string; readonly problem: Problem }
  | { readonly type: "note"; readonly what: string }
  | { readonly type: "removed"; readonly target: string }
  | { readonly type: "lock-wait"; readonly holder: string }
  | {
      readonly type: "plan";
      readonly effects: readonly PlannedEffect[];
      readonly later?: readonly LaterEffect[];
    }
  | {
      readonly type: "end";
      readonly ran: number;
      readonly fresh: number;
      readonly failed: number;
      readonly skipped: number;
      readonly ms: number;
    };

export interface PlannedEffect {
  readonly name: string;
  readonly changes: readonly string[];
}

/** An effect that cannot be planned yet: it needs what another one gives. */
export interface LaterEffect {
  readonly name: string;
  readonly after: string;
}

export type Emit = (event: EngineEvent) => void;

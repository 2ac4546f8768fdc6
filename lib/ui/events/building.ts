/** What build, watch, status, why, list and clean report. */
import type { Freshness, Reason } from "../../engine/index.ts";
import type { SourceLocation } from "../../problem/index.ts";

/** build, deploy, watch: the end of one build; of a watch that follows a save. */
export interface BuildEnd {
  readonly type: "end";
  readonly ran: number;
  readonly fresh: number;
  readonly failed: number;
  readonly skipped: number;
  readonly ms: number;
  /** The targets that were named; none means all. */
  readonly targets: readonly string[];
  /** A signal ended it early. */
  readonly interrupted: boolean;
  /** It is one of several of a watch. */
  readonly watch: boolean;
}

/** build, deploy, push, destroy: nobody consented, so nothing was changed. */
export interface Declined {
  readonly type: "declined";
  readonly command: "build" | "push" | "destroy" | "rotate";
  /** What would have let it go on. */
  readonly fix: string;
}

/** list: a group that can be named as a target. */
export interface ListedGroup {
  readonly type: "group";
  readonly target: string;
}

/** list: a target file. */
export interface ListedTarget {
  readonly type: "target";
  readonly target: string;
  /** The effect whose marker it is. */
  readonly effect?: string;
}

/** status, build --dry-run: whether a target is up to date, and why not. */
export interface TargetStatus {
  readonly type: "status";
  readonly target: string;
  readonly effect?: string;
  readonly status: Freshness;
  readonly reasons: readonly Reason[];
  /** Of a dry run: only what a build would or may make is listed. */
  readonly dryRun: boolean;
  /** One of many that are fresh: only the sum is shown to a person. */
  readonly brief?: boolean;
}

/** status: the counts. */
export interface StatusSummary {
  readonly type: "status-summary";
  readonly fresh: number;
  readonly stale: number;
  readonly unknown: number;
}

/** build --dry-run: the counts. */
export interface DryRunSummary {
  readonly type: "dry-run-summary";
  readonly notFresh: number;
  readonly targets: number;
}

/** why: every reason of one target. */
export interface WhyTarget {
  readonly type: "why";
  readonly target: string;
  readonly effect?: string;
  readonly status: Freshness;
  readonly reasons: readonly Reason[];
}

/** With a plan: many devices have a Terraform state each, where the registry's API would make them. */
export interface ManyStates {
  readonly type: "many-states";
  readonly cores: number;
  readonly things: number;
}

/** build --plan-out: the plan is written. */
export interface PlanSaved {
  readonly type: "plan-saved";
  readonly file: string;
  /** How many effects would change something. */
  readonly effects: number;
}

/** build --plan: the plan is applied, and what could not be planned before it was is still to be done. */
export interface PlanFollowed {
  readonly type: "plan-followed";
  readonly file: string;
  /** The names of effects that can be planned now. */
  readonly later: readonly string[];
}

/** settings: one key, with its default where it is not set. */
export interface Setting {
  readonly type: "setting";
  /** e.g. "core core-1.group" */
  readonly key: string;
  readonly value: string | number | boolean | null;
  /** Where it is set; for a default, where its section begins. */
  readonly location?: SourceLocation;
}

/** settings --diff: a key that is not the same in all environments. */
export interface SettingDifference {
  readonly type: "setting-difference";
  readonly key: string;
  /** By environment; "default" is settings.ini alone. */
  readonly values: Readonly<Record<string, string | number | boolean | null>>;
}

/** The end of settings --diff. */
export interface SettingDifferences {
  readonly type: "setting-differences";
  readonly environments: readonly string[];
}

/** clean: how many files it removed. */
export interface CleanSummary {
  readonly type: "clean-summary";
  readonly removed: number;
}

/** watch: the first build is done, and saves are followed from here on. */
export interface Watching {
  readonly type: "watching";
}

/** watch: effects that are stale; only `dospesos build` applies them. */
export interface NotApplied {
  readonly type: "not-applied";
  readonly effects: readonly string[];
}

import type { EngineEvent } from "../../engine/index.ts";
import type {
  Cost,
  Destroyed,
  DriftFound,
  Elsewhere,
  InventorySummary,
  LeftBehind,
  ListedThing,
  OtherCore,
  SandboxEnded,
  SandboxListening,
  SandboxLog,
  StateMoved,
  StateMovedSummary,
  VerifySummary,
} from "./account.ts";
import type {
  BuildEnd,
  CleanSummary,
  Declined,
  DryRunSummary,
  ListedGroup,
  ListedTarget,
  ManyStates,
  NotApplied,
  PlanFollowed,
  PlanSaved,
  Setting,
  SettingDifference,
  SettingDifferences,
  StatusSummary,
  TargetStatus,
  Watching,
  WhyTarget,
} from "./building.ts";
import type {
  CheckSkipped,
  CheckSummary,
  Checked,
  DeploymentStatus,
  DeploymentSummary,
  Push,
  PushBegin,
  PushState,
  PushStateSummary,
  PushSummary,
  Request,
  RequestSummary,
  Rotation,
} from "./devices.ts";
import type { Exit, Help, Version } from "./program.ts";

/**
 * One outcome of a command: a line of `--json` on stdout. What a person reads is another rendering of the same
 * events, and nothing else is printed. The last event of every command is `exit`.
 */
export type CommandEvent =
  | EngineEvent
  | BuildEnd
  | Declined
  | Exit
  | Help
  | Version
  | ListedGroup
  | ListedTarget
  | TargetStatus
  | StatusSummary
  | DryRunSummary
  | WhyTarget
  | CleanSummary
  | PlanFollowed
  | PlanSaved
  | ManyStates
  | Setting
  | SettingDifference
  | SettingDifferences
  | Watching
  | NotApplied
  | DriftFound
  | VerifySummary
  | Elsewhere
  | Push
  | PushBegin
  | PushState
  | PushStateSummary
  | PushSummary
  | Request
  | RequestSummary
  | Rotation
  | DeploymentStatus
  | DeploymentSummary
  | Checked
  | CheckSkipped
  | CheckSummary
  | ListedThing
  | OtherCore
  | Cost
  | InventorySummary
  | SandboxListening
  | SandboxEnded
  | SandboxLog
  | StateMoved
  | StateMovedSummary
  | Destroyed
  | LeftBehind;

export type * from "./account.ts";
export type * from "./building.ts";
export type * from "./devices.ts";
export type * from "./program.ts";

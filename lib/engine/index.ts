/** What the rest of the program may use of the engine. */
export { build, finish, openStore } from "./run/build.ts";
export { type BuildOptions, type Summary } from "./run/options.ts";
export { clean, forgetCleaned } from "./run/clean.ts";
export type {
  Content,
  EffectPlan,
  Glob,
  Group,
  Need,
  Needs,
  Rule,
  RuleOfMany,
  SourceFile,
  Step,
  Target,
  ValueOf,
  ValuesOf,
} from "./graph/declaration.ts";
export type { FileValue } from "./graph/file-value.ts";
export type { Emit, EngineEvent, PlannedEffect, Reason, StepStatus } from "./run/events.ts";
export { explain, type Explanation, type Freshness } from "./run/explain.ts";
export { acquireLock, type Lock } from "./disk/lock.ts";
export type { RecipeContext } from "./graph/context.ts";
export { selectSteps } from "./graph/select.ts";
export { Session, type Changes, type Dofile, type Host, type GitStatus } from "./run/session.ts";
export type { SettingsContent } from "./observe/settings-source.ts";
export { loadState, STATE_FOLDER, type Store } from "./state/store.ts";
export type { Graph } from "./model.ts";
export type { State } from "./state/state.ts";
export { stepName, targetsOf } from "./run/reasons.ts";
export { lookForOrphans, removeOrphans } from "./run/orphans.ts";

// For the rooms that evaluate a Dofile and that watch.
export type { Declaration, Origin } from "./graph/declaration.ts";
export type { Recipe } from "./graph/context.ts";
export type { GraphSource } from "./graph/draft.ts";
export type { Observer } from "./observe/observe.ts";
export { digestOfList } from "./disk/digest.ts";
export { fileName, fullPath, leadsOut, look, TEMPORARY_SUFFIX } from "./disk/files.ts";
export { Digest, Kind, makerOf, type DigestId, type NodeId } from "./model.ts";
export { currentRecorder, type DependencyRecorder } from "./run/recorder.ts";
export { locationInStack as placeInStack } from "./run/stack-location.ts";
export { nothingToDoText } from "./run/nothing-to-do.ts";
export { edgesOf } from "./state/edges.ts";
export type { Drift, EffectEnd, EffectKind, Marker, Teardown, World } from "./graph/effect.ts";
export { declares, isSameWorld, markerFiles, readMarker } from "./run/markers.ts";

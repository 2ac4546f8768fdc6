/** What the rest of the program may use of the engine. */
export { build, finish, openStore, type BuildOptions, type Summary } from "./run/build.ts";
export { clean, forgetCleaned } from "./run/clean.ts";
export type {
  Content,
  EffectPlan,
  FileValue,
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
export type { Emit, EngineEvent, PlannedEffect, Reason, StepStatus } from "./run/events.ts";
export { explain, type Explanation, type Freshness } from "./run/explain.ts";
export { acquireLock, type Lock } from "./disk/lock.ts";
export type { RecipeContext } from "./run/recipe.ts";
export { selectSteps } from "./graph/select.ts";
export { Session, type Changes, type Dofile, type Host, type GitStatus as Standing } from "./run/session.ts";
export type { SettingsContent } from "./observe/settings-source.ts";
export { loadState, STATE_FOLDER, type Store } from "./state/store.ts";
export type { Graph } from "./model.ts";
export type { State } from "./state/state.ts";
export { stepName, targetsOf } from "./run/reasons.ts";
export { removeOrphans as removeVanished } from "./run/vanish.ts";

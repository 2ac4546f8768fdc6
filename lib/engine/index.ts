/** What the rest of the program may use of the engine. */
export { build, finish, openStore, type BuildOptions, type Summary } from "./build.ts";
export { clean, forgetCleaned } from "./clean.ts";
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
} from "./declaration.ts";
export type { Emit, EngineEvent, PlannedEffect, Reason, StepStatus } from "./events.ts";
export { explain, type Explanation, type Freshness } from "./explain.ts";
export { acquireLock, type Lock } from "./lock.ts";
export {
  didYouMean,
  ProblemError,
  problemText,
  shown,
  visible,
  type Place,
  type Problem,
} from "./problem.ts";
export type { RecipeContext } from "./recipe.ts";
export { selectSteps } from "./select.ts";
export { Session, type Changes, type Dofile, type Host, type Standing } from "./session.ts";
export type { SettingsContent } from "./settings-source.ts";
export { loadState, STATE_FOLDER, type Store } from "./store.ts";
export type { Graph } from "./model.ts";
export type { State } from "./state.ts";
export { stepName, targetsOf } from "./reasons.ts";
export { removeVanished } from "./vanish.ts";

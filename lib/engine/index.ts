/** What the rest of the program may use of the engine. */
export { build, finish, openStore, type BuildOptions, type Summary } from "./build.ts";
export { clean, forgetCleaned } from "./clean.ts";
export { declare, file, glob, group } from "./declare.ts";
export type { Content, Declare, EffectPlan, FileValue, Glob, Group, Need, Needs, Rule, RuleOfMany, SourceFile, Step, Target, ValueOf, ValuesOf } from "./declare.ts";
export type { Program } from "./dofile.ts";
export type { Emit, EngineEvent, PlannedEffect, Reason, StepStatus } from "./events.ts";
export { explain, type Explanation, type Freshness } from "./explain.ts";
export { acquireLock, type Lock } from "./lock.ts";
export { didYouMean, placeText, ProblemError, problemText, shown, visible, type Place, type Problem } from "./problem.ts";
export { recording, settingsReader, type RecipeContext } from "./recipe.ts";
export { problemsOf } from "./run.ts";
export { selectSteps, targetNames } from "./select.ts";
export { Session, type Host, type Project, type ProjectInput, type Standing } from "./session.ts";
export { loadState, STATE_FOLDER, type Store } from "./store.ts";
export type { Graph } from "./model.ts";
export type { State } from "./state.ts";
export { isEffect, reasonsFor, stepName, stepsBelow, targetsOf } from "./reasons.ts";
export { createWatcher, whatToWatch, type Followed } from "./watcher.ts";

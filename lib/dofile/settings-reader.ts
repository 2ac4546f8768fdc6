import { ProblemError, type SourceLocation } from "../problem/index.ts";
import { currentRecorder, type DependencyRecorder } from "../engine/index.ts";
import { evaluating, type Evaluation } from "./evaluation.ts";

/** What a Dofile's function gets beside its settings. A recipe that closed over one of them reads for itself. */
export const projectReader = {
  environment: (name: string): string | undefined => reader("an environment variable").environment(name),
  glob: (pattern: string): readonly string[] => reader("a glob").globNames(pattern),
};

/**
 * Where a typed view of the settings gets its values from: the recipe that runs now, or else the graph that
 * is being made.
 */
export const settingsReader = {
  value: (key: string): string | number | boolean | undefined => reader().setting(key),
  pace: (key: string): string | number | boolean | undefined => reader().observer.settings.value(key),
  names: (kind: string): readonly string[] => reader().names(kind),
  forSection: <T>(kind: string, name: string, body: () => T): T => {
    const evaluation = currentRecorder.getStore() === undefined ? evaluating() : undefined;
    return evaluation === undefined ? body() : evaluation.forSection(kind, name, body);
  },
  isolate: <T>(body: () => T): (() => T) => {
    const evaluation = currentRecorder.getStore() === undefined ? evaluating() : undefined;
    if (evaluation !== undefined) {
      return evaluation.isolate(body);
    }
    const value = body();
    return () => value;
  },
  locationOf: (key: string): SourceLocation | undefined => reader().observer.settings.locationOf(key),
  file: (): string => reader().observer.settingsFile,
};

function reader(what = "a setting"): DependencyRecorder | Evaluation {
  const found = currentRecorder.getStore() ?? evaluating();
  if (found !== undefined) {
    return found;
  }
  throw new ProblemError([
    {
      code: "DP223",
      what: `${what} is read outside of a recipe and outside of the Dofile's function`,
      why: "the engine could not know what depends on it",
      fix: "read it in a recipe, or in the function given to project()",
    },
  ]);
}

import { ProblemError } from "../../lib/problem/index.ts";
import type { Problem } from "../../lib/problem/index.ts";
import { createRenderer } from "../../lib/render/index.ts";

export type Files = Readonly<Record<string, string>>;

/** The text that the first of the files renders to. */
export function rendered(files: Files, values: Readonly<Record<string, unknown>> = {}): string {
  return createRenderer().render(Object.keys(files)[0] ?? "", values, { read: (path) => files[path] });
}

/** The problems that rendering the first of the files reports, with exit code 2. */
export function problemsOf(files: Files, values: Readonly<Record<string, unknown>> = {}): readonly Problem[] {
  try {
    rendered(files, values);
  } catch (error) {
    if (error instanceof ProblemError && error.exitCode === 2) {
      return error.problems;
    }
    throw error;
  }
  throw new Error("rendered without a problem");
}

/** `code file:line:column what` of every problem. */
export function shortly(problems: readonly Problem[]): string[] {
  return problems.map(
    ({ code, location: place, what }) => `${code} ${place?.file}:${place?.line}:${place?.column} ${what}`,
  );
}

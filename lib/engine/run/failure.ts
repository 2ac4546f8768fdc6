import { ProblemError, type Problem } from "../../problem/index.ts";
import { locationInStack } from "./stack-location.ts";

/** What the body threw, or undefined. */
export function failureOf(body: () => void): Error | undefined {
  try {
    body();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** What a recipe threw, as problems: its own, or one that names the line in the rules. */
export function problemsOf(root: string, target: string, error: unknown): readonly Problem[] {
  if (error instanceof ProblemError) {
    return error.problems;
  }
  const { name, message, stack, code, path }: NodeJS.ErrnoException =
    error instanceof Error ? error : new Error(String(error), { cause: error });
  if (code !== undefined && path !== undefined) {
    return [{ code: "DP228", location: { file: path }, what: message, why: `${target} could not be made` }];
  }
  const location = locationInStack(root, stack ?? "");
  return [
    {
      code: "DP229",
      ...(location === undefined ? {} : { location }),
      what: `the recipe of ${target} failed: ${name === "Error" ? "" : `${name}: `}${message}`,
    },
  ];
}

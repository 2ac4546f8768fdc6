import type { Problem } from "../../problem/index.ts";
import { currentRecorder } from "./recorder.ts";

/**
 * Watches over what recipes leave behind while steps run. `nothingLeft` is called when Node has nothing to
 * wait for any more, which would end the process as if all were well; `stray` with what a recipe started, did
 * not wait for, and failed: without a listener Node ends, and leaves the children of other recipes behind.
 * Returns how to stop.
 */
export function guardProcess(
  nothingLeft: () => void,
  stray: (problem: Problem, step: string | undefined) => void,
): () => void {
  const failed = (error: unknown): void => {
    // Its recipe has failed already (see started() in recipe.ts).
    const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
    if ((code === "EMFILE" || code === "ENFILE") && syscall?.startsWith("spawn") === true) {
      return;
    }
    const step = currentRecorder.getStore()?.step;
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const where = step === undefined ? "a recipe" : `the recipe of ${step}`;
    const what = `something that ${where} started and did not wait for failed: ${name}: ${message}`;
    stray({ code: "DP239", what, fix: "let the recipe wait for all that it starts" }, step);
  };
  process.on("beforeExit", nothingLeft).on("uncaughtException", failed).on("unhandledRejection", failed);
  return () => {
    process.off("beforeExit", nothingLeft).off("uncaughtException", failed).off("unhandledRejection", failed);
  };
}

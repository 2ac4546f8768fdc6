/**
 * Some sequences of the fuzzer in a process of their own, since each evaluation of a Dofile stays in the
 * memory of its process.
 */
import { fuzz } from "./fuzzer.ts";

interface Task {
  readonly seed: string;
  readonly numbers: readonly number[];
  readonly until: number;
}

process.once("message", ({ seed, numbers, until }: Task) => {
  void fuzz(seed, numbers, until).then((fuzzed) => process.send!(fuzzed, () => process.disconnect()));
});

/**
 * Model-based fuzzing: random sequences of edits and builds; one that fails is made as short as it can be.
 */
import { Choices } from "./choices.ts";
import { randomEdit, type Edit } from "./edits.ts";
import { runSequence, type Sequence } from "./sequence.ts";

const SHRINK_WITHIN = 60_000;

export interface Fuzzed {
  readonly edits: number;
  readonly builds: number;
  readonly wrong: readonly string[];
}

export function randomSequence(seed: string): Sequence {
  const choices = new Choices(seed);
  const rounds = Array.from({ length: 4 + choices.number(8) }, (_, round) => {
    // What a deleted file broke is put right most of the time: a build that fails tells less.
    const repair: Edit[] = choices.chance(0.8) ? [{ kind: "restore", seed }] : [];
    const edits = Array.from({ length: 1 + choices.number(6) }, (__, edit) =>
      randomEdit(choices, `${seed} ${round} ${edit}`),
    );
    return { edits: choices.chance(0.7) ? [...edits, ...repair] : edits, seed: `${seed} ${round}` };
  });
  return { seed, rounds };
}

/**
 * Runs the sequences with some numbers until the time is up (milliseconds since the epoch). Stops at the
 * first wrong one.
 */
export async function fuzz(seed: string, numbers: Iterable<number>, until: number): Promise<Fuzzed> {
  let [edits, builds] = [0, 0];
  for (const number of numbers) {
    if (Date.now() > until) {
      break;
    }
    const sequence = randomSequence(`${seed} ${number}`);
    const wrong = await runSequence(sequence);
    edits += editCount(sequence);
    builds += sequence.rounds.length + 1;
    if (wrong !== undefined) {
      return { edits, builds, wrong: [await shortened(sequence, wrong)] };
    }
  }
  return { edits, builds, wrong: [] };
}

function editCount({ rounds }: Sequence): number {
  return rounds.reduce((sum, { edits }) => sum + edits.length, 0);
}

/** The shortest sequence that is found to go wrong by dropping rounds and edits, as text. */
async function shortened(sequence: Sequence, wrong: string): Promise<string> {
  const until = Date.now() + SHRINK_WITHIN;
  let [shortest, message] = [sequence, wrong];
  for (let dropped = true; dropped;) {
    dropped = false;
    for (const shorter of shorterOnes(shortest)) {
      if (Date.now() > until) {
        break;
      }
      const still = await runSequence(shorter);
      if (still === undefined) {
        continue;
      }
      [shortest, message, dropped] = [shorter, still, true];
      break;
    }
  }
  const rounds = shortest.rounds.map(
    ({ edits, seed }, index) =>
      `  ${index + 1}. ${edits.map((edit) => `${edit.kind} (${edit.seed})`).join(", ") || "no edit"}; build (${seed})`,
  );
  return `fuzzer, sequence ${sequence.seed}: ${message}\n${rounds.join("\n")}\n  ${JSON.stringify(shortest)}`;
}

function* shorterOnes(sequence: Sequence): Iterable<Sequence> {
  const { rounds } = sequence;
  for (let round = 0; round < rounds.length; round++) {
    yield { ...sequence, rounds: rounds.toSpliced(round, 1) };
  }
  for (const [round, { edits, seed }] of rounds.entries()) {
    for (let edit = 0; edit < edits.length; edit++) {
      yield { ...sequence, rounds: rounds.with(round, { edits: edits.toSpliced(edit, 1), seed }) };
    }
  }
}

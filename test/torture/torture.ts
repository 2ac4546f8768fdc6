/**
 * All parts of the torture one after the other, with a share of the time for each, and their figures as one
 * line.
 */
import { fork } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { sweep } from "./crash-sweep.ts";
import { damage } from "./damage.ts";
import { fuzz, type Fuzzed } from "./fuzzer.ts";
import { contend } from "./locks.ts";
import { interrupt } from "./signals.ts";

const WORKER = fileURLToPath(new URL("./fuzz-worker.ts", import.meta.url));
const SEQUENCES_EACH = 30;

/** How much of each part: seconds, where a part can be as long as one wants, else counts. */
interface Measure {
  readonly all: number;
  /** At most, of the sweep; what it leaves goes to the fuzzer. */
  readonly sweep: number;
  /** Every so many-th call only. */
  readonly stride: number;
  readonly randomKills: number;
  readonly damage: number;
  readonly lockRounds: number;
  readonly takeovers: number;
  /** Of each kind. */
  readonly signals: number;
}

const QUICK: Measure = {
  all: 10,
  sweep: 5,
  stride: 17,
  randomKills: 2,
  damage: 1,
  lockRounds: 10,
  takeovers: 2,
  signals: 1,
};
const USUAL = 9.5;

function measureFor(minutes: number): Measure {
  const share = Math.min(1, minutes / USUAL);
  return {
    all: minutes * 60,
    sweep: minutes * 60 * 0.65,
    stride: 1,
    randomKills: Math.ceil(share * 500),
    damage: share * 20,
    lockRounds: Math.ceil(share * 200),
    takeovers: Math.ceil(share * 30),
    signals: Math.ceil(share * 50),
  };
}

export interface Tortured {
  /** One line. */
  readonly figures: string;
  readonly wrong: readonly string[];
}

export async function torture(
  seed: string,
  length: number | "quick",
  tell: (line: string) => void,
): Promise<Tortured> {
  const measure = length === "quick" ? QUICK : measureFor(length);
  const begin = Date.now();
  const after = (seconds: number): number => Date.now() + seconds * 1000;
  // What takes as long as it takes comes first; the fuzzer has the rest of the time.
  const locked = await contend(measure.lockRounds, measure.takeovers);
  tell(
    `locks: ${locked.rounds} rounds of 8 processes; takeover after kill -9 in ${locked.median} ms (median), ${locked.worst} ms (worst) of ${locked.takeovers}`,
  );
  const interrupted = await interrupt(seed, measure.signals);
  tell(`signals: ${interrupted.signals}`);
  const damaged = await damage(seed, after(measure.damage));
  tell(`damage: ${damaged.states} damaged states read, ${damaged.builds} built with`);
  const swept = await sweep(seed, after(measure.sweep), measure.stride, measure.randomKills);
  tell(
    `crash sweep: ${swept.kills} kills at calls, ${swept.random} at random moments, ${swept.faults} faults${swept.left > 0 ? `; time was up in ${swept.left} of its parts` : ""}`,
  );
  const until = Math.max(after(3), begin + measure.all * 1000);
  const fuzzed = length === "quick" ? await fuzz(seed, count(), until) : await fuzzInProcesses(seed, until);
  tell(`fuzzer: ${fuzzed.edits} edits, ${fuzzed.builds} builds`);
  const wrong = [fuzzed, swept, damaged, locked, interrupted].flatMap((part) => part.wrong);
  const figures =
    `${fuzzed.edits} edits, ${swept.kills + swept.random} kills, ${swept.faults} faults, ${damaged.states} damaged states, ${locked.rounds} lock rounds, ` +
    `${interrupted.signals} signals: ${wrong.length} wrong (DOSPESOS_SEED=${seed})`;
  return { figures, wrong };
}

function* count(): Iterable<number> {
  for (let number = 0; ; number++) {
    yield number;
  }
}

/** One process waits for a tick of the clock after each build, so more of them than processors run. */
async function fuzzInProcesses(seed: string, until: number): Promise<Fuzzed> {
  const all = { edits: 0, builds: 0, wrong: [] as string[] };
  let first = 0;
  await Promise.all(
    Array.from({ length: cpus().length * 2 }, async () => {
      while (Date.now() < until && all.wrong.length === 0) {
        const numbers = Array.from({ length: SEQUENCES_EACH }, (_, index) => first + index);
        first += SEQUENCES_EACH;
        const { edits, builds, wrong } = await fuzzInProcess(seed, numbers, until);
        all.edits += edits;
        all.builds += builds;
        all.wrong.push(...wrong);
      }
    }),
  );
  return all;
}

function fuzzInProcess(seed: string, numbers: readonly number[], until: number): Promise<Fuzzed> {
  return new Promise((resolve, reject) => {
    const worker = fork(WORKER);
    worker.once("message", (fuzzed) => resolve(fuzzed as Fuzzed));
    worker.once("exit", (exit, signal) =>
      reject(new Error(`a process of the fuzzer ended: ${exit ?? signal}`)),
    );
    worker.send({ seed, numbers, until });
  });
}

/** All parts of the torture one after the other, with a share of the time for each, and their figures as one line. */
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
  readonly fuzz: number;
  readonly sweep: number;
  /** Every so many-th call only. */
  readonly stride: number;
  readonly damage: number;
  readonly lockRounds: number;
  readonly takeovers: number;
  /** Of each kind. */
  readonly signals: number;
}

const QUICK: Measure = { fuzz: 5, sweep: 4, stride: 17, damage: 1, lockRounds: 10, takeovers: 2, signals: 1 };

function measureFor(minutes: number): Measure {
  // Locks and signals take about a quarter of the usual nine minutes on two cores; what is more than these goes to the others.
  const share = Math.min(1, minutes / 9);
  const left = minutes * 60 - share * 150;
  return {
    fuzz: left * 0.48, sweep: left * 0.44, stride: 1, damage: left * 0.08,
    lockRounds: Math.ceil(share * 200), takeovers: Math.ceil(share * 30), signals: Math.ceil(share * 50),
  };
}

export interface Tortured {
  /** One line. */
  readonly figures: string;
  readonly wrong: readonly string[];
}

export async function torture(seed: string, length: number | "quick", tell: (line: string) => void): Promise<Tortured> {
  const measure = length === "quick" ? QUICK : measureFor(length);
  const after = (seconds: number): number => Date.now() + seconds * 1000;
  const fuzzed = length === "quick" ? await fuzz(seed, count(), after(measure.fuzz)) : await fuzzInProcesses(seed, after(measure.fuzz));
  tell(`fuzzer: ${fuzzed.edits} edits, ${fuzzed.builds} builds`);
  const swept = await sweep(seed, after(measure.sweep), measure.stride);
  tell(`crash sweep: ${swept.kills} kills, ${swept.faults} faults${swept.left > 0 ? `; time was up in ${swept.left} of its parts` : ""}`);
  const damaged = await damage(seed, after(measure.damage));
  tell(`damage: ${damaged.states} damaged states read, ${damaged.builds} built with`);
  const locked = await contend(measure.lockRounds, measure.takeovers);
  tell(`locks: ${locked.rounds} rounds of 8 processes; takeover after kill -9 in ${locked.median} ms (median), ${locked.worst} ms (worst) of ${locked.takeovers}`);
  const interrupted = await interrupt(seed, measure.signals);
  tell(`signals: ${interrupted.signals}`);
  const wrong = [fuzzed, swept, damaged, locked, interrupted].flatMap((part) => part.wrong);
  const figures = `${fuzzed.edits} edits, ${swept.kills} kills, ${swept.faults} faults, ${damaged.states} damaged states, ${locked.rounds} lock rounds, `
    + `${interrupted.signals} signals: ${wrong.length} wrong (DOSPESOS_SEED=${seed})`;
  return { figures, wrong };
}

function* count(): Iterable<number> {
  for (let number = 0; ; number++) yield number;
}

/** One process waits for a tick of the clock after each build, so more of them than processors run. */
async function fuzzInProcesses(seed: string, until: number): Promise<Fuzzed> {
  const all = { edits: 0, builds: 0, wrong: [] as string[] };
  let first = 0;
  await Promise.all(Array.from({ length: cpus().length * 2 }, async () => {
    while (Date.now() < until && all.wrong.length === 0) {
      const numbers = Array.from({ length: SEQUENCES_EACH }, (_, index) => first + index);
      first += SEQUENCES_EACH;
      const { edits, builds, wrong } = await fuzzInProcess(seed, numbers, until);
      all.edits += edits;
      all.builds += builds;
      all.wrong.push(...wrong);
    }
  }));
  return all;
}

function fuzzInProcess(seed: string, numbers: readonly number[], until: number): Promise<Fuzzed> {
  return new Promise((resolve, reject) => {
    const worker = fork(WORKER);
    worker.once("message", (fuzzed) => resolve(fuzzed as Fuzzed));
    worker.once("exit", (exit, signal) => reject(new Error(`a process of the fuzzer ended: ${exit ?? signal}`)));
    worker.send({ seed, numbers, until });
  });
}

/**
 * Interrupts at random moments: the children end with the build, the exit says why, and nothing half-made
 * passes for fresh.
 */
import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { BIN, PLAIN, start, Started, type Ended } from "../support/bin.ts";
import { contentsOf, projectOf, put, temporaryFiles } from "../support/folder.ts";
import { Choices } from "./choices.ts";

const EXITS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type Interrupt = keyof typeof EXITS | "closed stdout";
const INTERRUPTS = [...Object.keys(EXITS), "closed stdout"] as readonly Interrupt[];
const END_WITHIN = 2000;
const TARGETS = 24;
const MARK = "TORTURE_SIGNALS";

/** Every sixth recipe runs a program that has one of its own and takes a while. */
const DOFILE = `import { file, project, rule } from "dospesos";
export default project(() => Array.from({ length: ${TARGETS} }, (_, n) => rule({
  targets: { a: "out/" + n + ".a", b: "out/" + n + ".b" }, needs: { source: file("source.txt") },
  recipe: async ({ source }, { run }) => ({ a: source.text + n, b: n % 6 === 0 ? await run("sh", ["-c", "sleep 0.04 & wait; cat"], source.text) : source.text }),
})));
`;

export interface Interrupted {
  signals: number;
  readonly wrong: string[];
}

/** Each kind of interrupt so many times. */
export async function interrupt(seed: string, times: number): Promise<Interrupted> {
  const all: Interrupted = { signals: 0, wrong: [] };
  const kinds = [...INTERRUPTS];
  await Promise.all(
    Array.from({ length: cpus().length }, async () => {
      for (let kind = kinds.shift(); kind !== undefined; kind = kinds.shift()) {
        await interruptBy(kind, new Choices(`${seed} ${kind}`), times, all);
      }
    }),
  );
  return all;
}

async function interruptBy(
  kind: Interrupt,
  choices: Choices,
  times: number,
  all: Interrupted,
): Promise<void> {
  const root = projectOf(DOFILE, { "source.txt": "" });
  let longest = 500;
  for (let round = 0; round < times; round++) {
    const text = `round ${round}\n`;
    put(root, "source.txt", text);
    const begin = performance.now();
    const mark = `${process.pid} ${kind} ${round}`;
    const run = new Started(root, process.execPath, [BIN, "build", "--json"], {
      env: { ...PLAIN, [MARK]: mark },
    });
    let at = 0;
    const timer = setTimeout(
      () => {
        at = performance.now();
        if (kind === "closed stdout") {
          run.child.stdout!.destroy();
        } else {
          run.kill(kind);
        }
      },
      choices.number(Math.ceil(longest)),
    );
    const ended = await run.end(30_000);
    clearTimeout(timer);
    if (at === 0) {
      longest = performance.now() - begin;
    }
    const what = wrongEnd(kind, ended, at === 0 ? 0 : performance.now() - at, marked(mark));
    what.push(...temporaryFiles(root).map((name) => `${name} is left`), ...(await wrongAfter(root, text)));
    all.signals++;
    all.wrong.push(...what.map((one) => `${kind}, round ${round}: ${one}`));
  }
}

function wrongEnd(
  kind: Interrupt,
  { exit, signal, stderr }: Ended,
  ms: number,
  left: readonly number[],
): string[] {
  const wrong: string[] = [];
  // Before the program listens, and after it has ended its work, a signal ends it as any other.
  const expected = exit === 0 || (kind !== "closed stdout" && (exit === EXITS[kind] || signal === kind));
  if (!expected) {
    wrong.push(`exit ${exit} ${signal}: ${stderr}`);
  }
  if (/error/.test(stderr)) {
    wrong.push(`it tells an error: ${stderr}`);
  }
  if (kind !== "closed stdout" && ms > END_WITHIN) {
    wrong.push(`it ended ${Math.round(ms)} ms later`);
  }
  if (left.length > 0) {
    wrong.push(`processes are left: ${left.join()}`);
  }
  return wrong;
}

async function wrongAfter(root: string, text: string): Promise<string[]> {
  const next = await start(root, "build").end(60_000);
  const wrong = next.exit === 0 ? [] : [`the next build: exit ${next.exit}: ${next.stderr}`];
  if (/by hand|replaced|damaged/.test(next.stderr)) {
    wrong.push(`the next build says what is not so: ${next.stderr}`);
  }
  const made = contentsOf(root);
  for (let n = 0; n < TARGETS; n++) {
    for (const [name, content] of [
      [`out/${n}.a`, `${text}${n}`],
      [`out/${n}.b`, text],
    ] as const) {
      if (made[name]?.replace(/^\d+ /, "") !== content) {
        wrong.push(`${name} is ${made[name]}`);
      }
    }
  }
  const last = await start(root, "build").end(60_000);
  if (!last.stderr.includes("nothing to do")) {
    wrong.push(`then there is still something to do: ${last.stderr}`);
  }
  return wrong;
}

/** The processes that run and inherited a mark in their environment (proc(5)). */
function marked(mark: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/environ`, "latin1").includes(`${MARK}=${mark}\0`) &&
          !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "latin1"))
        );
      } catch {
        return false;
      }
    });
}

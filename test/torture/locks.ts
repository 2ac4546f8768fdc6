/**
 * Many processes that want one project: never two holders, and a dead holder's lock is taken over at once. They
 * run by this Node and by those that DOSPESOS_NODES names (paths of programs, with colons between them), half of
 * them in a network namespace of its own where the kernel allows it.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { PLAIN, Started } from "../support/bin.ts";
import { unshared } from "../support/namespaces.ts";
import { tempFolder } from "../support/temp.ts";

const CONTENDER = fileURLToPath(new URL("./lock-contender.ts", import.meta.url));
const PROCESSES = 8;
/** On a busy machine; what it takes is one of the figures. Nothing that polls or guesses is as fast. */
const TAKEOVER_WITHIN = 500;

export interface Locked {
  readonly rounds: number;
  readonly takeovers: number;
  /** Milliseconds from kill -9 of the holder until who waits holds the lock. */
  readonly median: number;
  readonly worst: number;
  readonly wrong: readonly string[];
}

export async function contend(rounds: number, takeovers: number): Promise<Locked> {
  const root = tempFolder("locks");
  const wrong: string[] = [];
  const ends = await Promise.all(
    Array.from({ length: PROCESSES }, (_, index) => contender(root, rounds, index).end(300_000)),
  );
  for (const { exit, stdout, stderr } of ends) {
    if (exit !== 0) {
      wrong.push(`a process that wanted the lock: exit ${exit}: ${stderr}`);
    }
    if (stdout.includes("two")) {
      wrong.push("two processes held the lock at the same time");
    }
  }
  const times: number[] = [];
  let holder = contender(root, 0);
  await holder.tells(/holds/);
  for (let round = 0; round < takeovers; round++) {
    const next = contender(root, 0);
    await next.tells(/waits/);
    const begin = Date.now();
    holder.kill("SIGKILL");
    await next.tells(/holds \d+\n/);
    times.push(Number(/holds (\d+)/.exec(next.stdout)![1]) - begin);
    holder = next;
  }
  holder.kill("SIGKILL");
  times.sort((a, b) => a - b);
  const [median, worst] = [times[times.length >> 1]!, times.at(-1)!];
  if (median > TAKEOVER_WITHIN) {
    wrong.push(`a dead holder's lock is taken over after ${median} ms (median)`);
  }
  return { rounds: rounds * PROCESSES, takeovers, median, worst, wrong };
}

const NODES = [
  process.execPath,
  ...(process.env["DOSPESOS_NODES"] ?? "").split(":").filter((program) => program !== ""),
];
const ELSEWHERE = spawnSync("unshare", [...unshared("network"), "true"]).status === 0;

function contender(root: string, rounds: number, index = 0): Started {
  const node = [NODES[index % NODES.length]!, "--import", "tsx", CONTENDER, root, String(rounds)];
  const words = ELSEWHERE && index >= PROCESSES / 2 ? ["unshare", ...unshared("network"), ...node] : node;
  return new Started(process.cwd(), words[0]!, words.slice(1), { env: PLAIN });
}

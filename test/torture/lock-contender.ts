/**
 * One of several processes that take the lock of a project again and again: `lock-contender.ts FOLDER
 * ROUNDS`. It tells "two" if another one holds the lock with it. With no rounds it takes the lock once, tells
 * when, and keeps it.
 */
import { closeSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { acquireLock } from "../../lib/engine/index.ts";
import type { Lock } from "../../lib/engine/disk/lock.ts";

const [root, rounds] = [process.argv[2]!, Number(process.argv[3])];

function take(): Promise<Lock> {
  return acquireLock(root, {
    command: "contender",
    wait: true,
    signal: new AbortController().signal,
    onWait: () => rounds === 0 && console.log("waits"),
    onUnlockable: (why) => console.log(`two: ${why}`),
  });
}

async function holdOnce(turns: number): Promise<void> {
  const lock = await take();
  const mark = join(root, "held");
  try {
    closeSync(openSync(mark, "wx"));
  } catch {
    console.log("two");
  }
  for (let turn = 0; turn < turns; turn++) {
    await setImmediate();
  }
  rmSync(mark, { force: true });
  lock.release();
}

async function main(): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await holdOnce((process.pid + round * 7) % 20);
  }
  if (rounds > 0) {
    return;
  }
  await take();
  console.log(`holds ${Date.now()}`);
  setInterval(() => {}, 1000);
}

void main();

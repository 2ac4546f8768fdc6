import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Started } from "../support/bin.ts";
import { becomes, projectOf, put, textOf } from "../support/folder.ts";
import { torture } from "../support/random.ts";
import { testWhere } from "../support/tools.ts";
import { endsRight, watching } from "../support/watching.ts";

const CYCLES = Math.ceil(300 * torture);
/** Memory is compared after the first cycles, when everything has been loaded and compiled. */
const WARM = 100;

/** How many descriptors a process has open, and its memory in MiB, when it has done what it was told (proc(5)). */
function usedBy(watch: Started): { files: number; memory: number } {
  const pid = String(watch.child.pid);
  return { files: readdirSync(`/proc/${pid}/fd`).length, memory: Number(/VmRSS:\s+(\d+)/.exec(textOf(`/proc/${pid}`, "status"))![1]) / 1024 };
}

testWhere(test, process.platform === "linux" ? undefined : "/proc is Linux's", `after ${CYCLES} saves, with folders that come and go, a watch has no more files open and no more memory than after ${WARM} (trap 67)`, async () => {
  const root = projectOf(`import { file, glob, project, rule } from "dospesos";
export default project(() => [
  rule({ target: "out/copy", needs: { source: file("source.txt") }, recipe: ({ source }) => source.text }),
  rule({ target: "out/all", needs: { all: glob("in/**/*.txt") }, recipe: ({ all }) => all.map((one) => one.path).join() }),
]);
`, { "source.txt": "0", "in/a.txt": "a" });
  const watch = await watching(root);
  let warm = usedBy(watch);
  for (let cycle = 1; cycle <= CYCLES; cycle++) {
    put(root, "source.txt", `cycle ${cycle}`);
    if (cycle % 10 === 1) put(root, `in/deep/er-${cycle % 3}/b.txt`, "b");
    if (cycle % 10 === 6) rmSync(join(root, "in/deep"), { recursive: true });
    await becomes(root, "out/copy", (text) => text === `cycle ${cycle}`);
    if (cycle === WARM) warm = usedBy(watch);
  }
  const last = usedBy(watch);
  console.error(`\nwatch: ${CYCLES} saves, ${warm.files} to ${last.files} descriptors, ${warm.memory.toFixed(0)} to ${last.memory.toFixed(0)} MiB`);
  assert.ok(last.files <= warm.files + 2, `${warm.files} to ${last.files} descriptors`);
  assert.ok(last.memory <= warm.memory * 1.25 + 10, `${warm.memory} to ${last.memory} MiB`);
  await endsRight(watch, root);
});

test.run();

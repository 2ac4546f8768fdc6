import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BIN, Started } from "../support/bin.ts";
import { becomes, projectOf, put } from "../support/folder.ts";
import { torture } from "../support/random.ts";
import { tempFolder } from "../support/temp.ts";
import { testWhere } from "../support/tools.ts";
import { endsRight } from "../support/watching.ts";

const CYCLES = Math.ceil(300 * torture);
/** Memory is compared after the first cycles, when everything has been loaded and compiled. */
const WARM = 100;
/** What a save may leave behind: its digests stay known until the watch ends. */
const KEPT = 4096;

/** Tells what is in use after all garbage was collected, when it gets a SIGUSR2. */
const GAUGE = `process.on("SIGUSR2", () => { gc(); gc(); process.stderr.write("in use: " + process.memoryUsage().heapUsed + "\\n"); });`;

async function usedBy(watch: Started): Promise<{ files: number; memory: number }> {
  const from = watch.told.length;
  watch.kill("SIGUSR2");
  await watch.tells(/in use: \d+\n/, from);
  return {
    files: readdirSync(`/proc/${watch.child.pid}/fd`).length,
    memory: Number(/in use: (\d+)/.exec(watch.told.slice(from))![1]),
  };
}

testWhere(
  test,
  process.platform === "linux" ? undefined : "/proc is Linux's",
  `after ${CYCLES} saves, with folders that come and go, a watch has no more files open and no more memory than after ${WARM} (trap 67)`,
  async () => {
    const root = projectOf(
      `import { file, glob, project, rule } from "dospesos";
export default project(() => [
  rule({ target: "out/copy", needs: { source: file("source.txt") }, recipe: ({ source }) => source.text }),
  rule({ target: "out/all", needs: { all: glob("in/**/*.txt") }, recipe: ({ all }) => all.map((one) => one.path).join() }),
]);
`,
      { "source.txt": "0", "in/a.txt": "a" },
    );
    const gauge = join(tempFolder("gauge"), "gauge.cjs");
    writeFileSync(gauge, GAUGE);
    const watch = new Started(root, process.execPath, ["--expose-gc", "--require", gauge, BIN, "watch"]);
    await watch.tells(/watching:/);
    let warm = await usedBy(watch);
    for (let cycle = 1; cycle <= CYCLES; cycle++) {
      put(root, "source.txt", `cycle ${cycle}`);
      if (cycle % 10 === 1) {
        put(root, `in/deep/er-${cycle % 3}/b.txt`, "b");
      }
      if (cycle % 10 === 6) {
        rmSync(join(root, "in/deep"), { recursive: true });
      }
      await becomes(root, "out/copy", (text) => text === `cycle ${cycle}`);
      if (cycle === WARM) {
        warm = await usedBy(watch);
      }
    }
    const last = await usedBy(watch);
    const kept = Math.round((last.memory - warm.memory) / (CYCLES - WARM));
    console.error(
      `\nwatch: ${CYCLES} saves, ${warm.files} to ${last.files} descriptors, ${kept} bytes of memory kept for each`,
    );
    assert.ok(last.files <= warm.files + 2, `${warm.files} to ${last.files} descriptors`);
    assert.ok(kept <= KEPT, `${kept} bytes are kept for each save`);
    await endsRight(watch, root);
  },
);

test.run();

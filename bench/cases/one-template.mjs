// One of ten templates, which 1,000 of 10,000 targets share, is touched but equal, or changes.
import { appendFileSync, readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateCores } from "../generate.mjs";
import { inTurns, median } from "../measure.mjs";
import { run } from "../processes.mjs";
import { row } from "../table.mjs";

const READS = fileURLToPath(new URL("../preload/reads.cjs", import.meta.url));
const N = 10_000;
const TEMPLATE = "t3.yaml.njk";

export function* rows(bench) {
  const folder = bench.built("dospesos", N, "template", generateCores);
  const template = join(folder, TEMPLATE);
  for (let warm = 0; warm < 3; warm++) {
    bench.build("dospesos", folder, { fresh: true });
  }
  const touch = () => utimesSync(template, new Date(), new Date());
  touch();
  const read = readsOf(bench, folder);
  const times = inTurns(
    { ours: () => (touch(), bench.build("dospesos", folder, { fresh: true })), bare: () => bench.bare() },
    bench.rounds(9),
  );
  yield row(
    "a template touched but equal",
    { ours: median(times.ours), peer: "node -e 0", theirs: median(times.bare) },
    [
      {
        bar: `1 hash (is ${read.length}${read.length > 1 ? `: ${read.slice(0, 4).join(" ")}` : ""})`,
        met: read.join() === TEMPLATE,
      },
    ],
  );
  appendFileSync(template, "more: 1\n");
  const ran = bench.ran(folder);
  const exact = ran.length === N / 10 && ran.every((target) => target.endsWith("3.yaml"));
  const changed = inTurns(
    { ours: () => (appendFileSync(template, "more: 2\n"), bench.build("dospesos", folder)) },
    bench.rounds(5),
    0,
  );
  yield row("a template changed that 1,000 of 10,000 targets share", { ours: median(changed.ours) }, [
    { bar: `runs exactly its dependents (ran ${ran.length})`, met: exact },
  ]);
}

/** The project's files whose content one build reads. */
function readsOf(bench, folder) {
  const file = join(bench.temporary, "reads");
  run([bench.node, "--require", READS, bench.bin, "build"], {
    cwd: folder,
    env: { ...process.env, BENCH_READS: file },
  });
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((name) => name !== "");
}

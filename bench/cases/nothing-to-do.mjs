// Nothing to do, beside each peer; at 100,000 targets also the peak of memory.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inTurns, median } from "../measure.mjs";
import { run } from "../processes.mjs";
import { atMost, row } from "../table.mjs";

export const PEAK = fileURLToPath(new URL("../preload/peak.cjs", import.meta.url));
const MAY_TAKE = 250;

export function* rows(bench) {
  const modern = bench.major() >= 24;
  yield* beside(bench, "ninja", 10_000, bench.rounds(25), (ours, theirs) => [
    atMost(modern ? 1.4 : 2, ours, theirs, "ninja"),
  ]);
  yield* beside(bench, "make", 10_000, bench.rounds(5), (ours, theirs) => [
    { bar: "≤ 1/12 × make", met: ours <= theirs / 12 },
  ]);
  if (bench.quick) {
    return;
  }
  yield* beside(bench, "doit", 10_000, 3, () => []);
  yield* beside(bench, "wireit", 1000, 3, () => []);
  yield* beside(bench, "ninja", 100_000, bench.rounds(9), (ours, theirs) => [
    atMost(modern ? 0.9 : 1, ours, theirs, "ninja"),
  ]);
  const peak = Math.max(...[1, 2, 3].map(() => peakOf(bench, bench.built("dospesos", 100_000))));
  yield row("the same, peak memory", { text: `${peak.toFixed(0)} MB` }, [
    { bar: `≤ ${MAY_TAKE} MB`, met: peak <= MAY_TAKE },
  ]);
}

function* beside(bench, peer, n, rounds, bars) {
  if (bench.peers[peer] === undefined) {
    return;
  }
  const [ours, theirs] = [bench.built("dospesos", n), bench.built(peer, n)];
  const times = inTurns(
    {
      ours: () => bench.build("dospesos", ours, { fresh: true }),
      theirs: () => bench.build(peer, theirs, { fresh: true }),
    },
    rounds,
    1,
  );
  const [a, b] = [median(times.ours), median(times.theirs)];
  yield row(`nothing to do, ${n.toLocaleString("en")} targets`, { ours: a, peer, theirs: b }, bars(a, b));
}

/** The peak of resident memory of one build, in MB. */
function peakOf(bench, folder) {
  const file = join(bench.temporary, "peak");
  return Number(
    run(["sh", "-c", '"$0" --require "$1" "$2" build && cat "$3"', bench.node, PEAK, bench.bin, file], {
      cwd: folder,
      env: { ...process.env, BENCH_PEAK: file },
    }).stdout,
  );
}

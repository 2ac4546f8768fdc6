// The first build: rendering beside ninja running cat, and beside a bare loop that writes and renames the
// same files. It comes before the other cases, which go on with what it has built.
import { fileURLToPath } from "node:url";
import { flush } from "../bench.mjs";
import { inTurns, median } from "../measure.mjs";
import { run } from "../processes.mjs";
import { atMost, row } from "../table.mjs";

const LOOP = fileURLToPath(new URL("../bare-write.mjs", import.meta.url));
const N = 10_000;

export function* rows(bench) {
  const folder = bench.written("dospesos", N);
  const sides = { ours: () => first(bench, "dospesos", folder), loop: () => loop(bench) };
  const times = inTurns(sides, bench.rounds(5, 2), 0);
  const [ours, bare] = [median(times.ours), median(times.loop)];
  yield row("first build, 10,000 rendered targets", { ours, peer: "bare write and rename", theirs: bare }, [
    atMost(1.6, ours, bare, "the loop"),
  ]);
  if (bench.peers.ninja === undefined) {
    return;
  }
  const peer = bench.written("ninja", N);
  const turns = inTurns(
    { ours: sides.ours, theirs: () => first(bench, "ninja", peer) },
    bench.rounds(3, 1),
    0,
  );
  yield row(
    "first build, 10,000 targets, beside ninja",
    { ours: median(turns.ours), peer: "ninja running cat", theirs: median(turns.theirs) },
    [atMost(0.2, median(turns.ours), median(turns.theirs), "ninja")],
  );
}

function first(bench, tool, folder) {
  bench.forget(folder);
  flush();
  return bench.build(tool, folder);
}

function loop(bench) {
  const folder = bench.folder("loop");
  bench.forget(folder);
  flush();
  return run([bench.node, LOOP, folder, String(N)]).ms;
}

// What a build with nothing to do cannot be faster than in Node: a start, and a look at each source and
// output.
import { fileURLToPath } from "node:url";
import { inTurns, median } from "../measure.mjs";
import { run } from "../processes.mjs";
import { row } from "../table.mjs";

const LOOP = fileURLToPath(new URL("../bare-stat.mjs", import.meta.url));

export function* rows(bench) {
  for (const n of bench.quick ? [10_000] : [10_000, 100_000]) {
    const folder = bench.built("dospesos", n);
    const times = inTurns(
      {
        ours: () => bench.build("dospesos", folder, { fresh: true }),
        loop: () => run([bench.node, LOOP, folder, String(n)]).ms,
        bare: () => bench.bare(),
      },
      bench.rounds(11),
    );
    const [ours, loop, bare] = [median(times.ours), median(times.loop), median(times.bare)];
    yield row(`floor: nothing to do, ${n.toLocaleString("en")} targets`, {
      ours,
      peer: `node -e 0 ${bare.toFixed(0)} ms, with a bare stat loop`,
      theirs: loop,
    });
  }
}

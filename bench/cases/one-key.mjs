// One core's key changes among 10,000 cores in settings.ini: that core's step runs and no other.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { coresText, generateCores } from "../generate.mjs";
import { inTurns, median } from "../measure.mjs";
import { row } from "../table.mjs";

const N = 10_000;
const MAY_ADD = 60;

export function* rows(bench) {
  const folder = bench.built("dospesos", N, "key", generateCores);
  const still = bench.built("dospesos", N, "still", generateCores);
  const groups = new Map();
  const change = (i) => {
    groups.set(i, `moved-${groups.size}-${bench.major()}`);
    writeFileSync(join(folder, "settings.ini"), coresText(N, groups));
  };
  const times = inTurns(
    {
      still: () => bench.build("dospesos", still, { fresh: true }),
      changed: (round) => {
        change(4321 + round);
        return bench.build("dospesos", folder);
      },
    },
    bench.rounds(15),
  );
  const exact = [0, 17, N - 1].every((i) => {
    change(i);
    return bench.ran(folder).join() === `out/c${i}.yaml`;
  });
  const [ours, nothing] = [median(times.changed), median(times.still)];
  yield row("one core's key changed, 10,000 targets", { ours, peer: "nothing to do", theirs: nothing }, [
    {
      bar: `≤ nothing to do + ${MAY_ADD} ms (is + ${(ours - nothing).toFixed(0)})`,
      met: ours <= nothing + MAY_ADD,
    },
    { bar: "runs that core's step alone", met: exact },
  ]);
}

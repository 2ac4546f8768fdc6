// The project that the repository ships, with nothing to do: by an installed program, and by a clone, which
// looks at its sources, too.
import { existsSync } from "node:fs";
import { inTurns, median } from "../measure.mjs";
import { run } from "../processes.mjs";
import { shippedProject } from "../program.mjs";
import { atMost, row } from "../table.mjs";

export function* rows(bench) {
  for (const [kind, bin] of [
    ["installed", bench.bin],
    ["clone", bench.clone],
  ]) {
    const folder = bench.folder(`tiny-${kind}`);
    if (!existsSync(folder)) {
      shippedProject(folder);
    }
    const build = () => run([bench.node, bin, "build"], { cwd: folder });
    build();
    const times = inTurns(
      {
        ours: () => {
          const { ms, stderr } = build();
          if (!stderr.includes("nothing to do")) {
            throw new Error(`there was something to do:\n${stderr}`);
          }
          return ms;
        },
        bare: () => bench.bare(),
      },
      bench.rounds(41),
      3,
    );
    const [ours, bare] = [median(times.ours), median(times.bare)];
    yield row(`tiny project, nothing to do (${kind})`, { ours, peer: "node -e 0", theirs: bare }, [
      atMost(1.25, ours, bare, "bare Node"),
    ]);
  }
}

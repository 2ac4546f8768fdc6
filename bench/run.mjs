// `npm run bench [-- --quick] [--only CASE] [--node PATH]…`: measures, prints a Markdown table for each Node,
// and draws bench/growth.svg.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, release, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Bench } from "./bench.mjs";
import { findPeers } from "./peers.mjs";
import { plot } from "./plot.mjs";
import { cloneBin, installedBin } from "./program.mjs";
import { HEADER, line, row, verdict } from "./table.mjs";

const CASES = [
  "first-build",
  "nothing-to-do",
  "floor",
  "growth",
  "one-key",
  "one-template",
  "tiny",
  "fleet",
  "watch",
];
const PLOT = fileURLToPath(new URL("./growth.svg", import.meta.url));

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true },
    node: { type: "string", multiple: true },
  },
});
const wrong = (values.only ?? []).filter((name) => !CASES.includes(name));
if (wrong.length > 0) {
  console.error(`no such case: ${wrong.join(", ")}; there are ${CASES.join(", ")}`);
  process.exit(2);
}

const temporary = mkdtempSync(join(tmpdir(), "dospesos-bench-"));
const cleanUp = () => rmSync(temporary, { recursive: true, force: true });
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    cleanUp();
    process.exit(130);
  });
}
try {
  await measure();
} finally {
  cleanUp();
}

async function measure() {
  const begin = performance.now();
  const nodes = values.node ?? [process.execPath];
  const { peers, missing } = findPeers(temporary, nodes[0]);
  missing.forEach((why) => console.log(why));
  console.log(
    `${Object.entries(peers)
      .map(([name, { version }]) => `${name} ${version}`)
      .join(", ")}; ${availableParallelism()} cores, ${process.platform} ${release()}`,
  );
  const bench = new Bench({
    temporary,
    bin: installedBin(join(temporary, "installed")),
    clone: cloneBin(join(temporary, "clone")),
    peers,
    quick: values.quick,
  });
  for (const node of nodes) {
    bench.use(node);
    console.log(`\n## Node ${bench.version} (load ${loadavg()[0].toFixed(1)})\n\n${HEADER}`);
    const rows = [];
    const tell = (one) => {
      rows.push(one);
      console.log(line(one));
    };
    for (const name of CASES.filter((one) => values.only?.includes(one) ?? true)) {
      const { rows: measured } = await import(`./cases/${name}.mjs`);
      try {
        for await (const one of measured(bench)) {
          tell(one);
        }
      } catch (error) {
        // The other cases can still tell something.
        tell(row(name, { text: "failed" }, [{ bar: "runs to its end", met: false }]));
        console.error(`${name}: ${error.message}`);
        process.exitCode = 1;
      }
    }
    console.log(`\n${verdict(rows, bench.version)}`);
  }
  if (bench.series.length > 0 && !values.quick) {
    writeFileSync(PLOT, plot(bench.series));
  }
  console.error(`took ${((performance.now() - begin) / 60_000).toFixed(1)} min`);
}

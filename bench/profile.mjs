// Where the time goes: `node bench/profile.mjs [--node PATH] [N]` prints the functions with the most time of
// their own in a build of N targets that has nothing to do, and in a first build.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { generate } from "./generate.mjs";
import { run } from "./processes.mjs";
import { installedBin } from "./program.mjs";

const SHOWN = 14;
const { values, positionals } = parseArgs({
  options: { node: { type: "string", default: process.execPath } },
  allowPositionals: true,
});
const n = Number(positionals[0] ?? 10_000);
const temporary = mkdtempSync(join(tmpdir(), "dospesos-profile-"));
try {
  const bin = installedBin(join(temporary, "installed"));
  const project = join(temporary, "project");
  generate(project, "dospesos", n);
  const build = (...options) => run([values.node, ...options, bin, "build"], { cwd: project, limit: 600 }).ms;
  print(`first build, ${n} targets`, build, "first");
  for (let warm = 0; warm < 3; warm++) {
    build();
  }
  print(`nothing to do, ${n} targets`, build, "nothing");
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

function print(title, build, name) {
  const folder = join(temporary, name);
  const ms = build("--cpu-prof", "--cpu-prof-interval", "200", "--cpu-prof-dir", folder);
  const own = ownTimes(JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]), "utf8")));
  console.log(`\n${title}: ${ms.toFixed(0)} ms, profiled`);
  for (const [place, time] of [...own].sort((a, b) => b[1] - a[1]).slice(0, SHOWN)) {
    console.log(`${time.toFixed(1).padStart(9)} ms  ${place}`);
  }
}

/** Milliseconds by function and file. */
function ownTimes({ nodes, samples, timeDeltas }) {
  const places = new Map(
    nodes.map(({ id, callFrame }) => [
      id,
      `${callFrame.functionName || "(top of the module)"} ${callFrame.url.split("/").slice(-1)[0]}`,
    ]),
  );
  const own = new Map();
  samples.forEach((id, index) =>
    own.set(places.get(id), (own.get(places.get(id)) ?? 0) + timeDeltas[index] / 1000),
  );
  return own;
}

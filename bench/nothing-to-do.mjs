// How long a build with nothing to do takes beside a bare Node: `node bench/nothing-to-do.mjs [ROUNDS]` in a folder that is built.
// Both sides take turns in one run, so that a busy machine hurts both; what counts is the ratio of the medians.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const rounds = Number(process.argv[2] ?? 20);
const bin = fileURLToPath(new URL("../lib/cli/bin.cjs", import.meta.url));
const sides = { bare: ["-e", "0"], build: [bin, "build"] };
const times = { bare: [], build: [] };

function once(words) {
  const begin = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
  const ms = Number(process.hrtime.bigint() - begin) / 1e6;
  if (status !== 0) throw new Error(stderr);
  return { ms, stderr };
}

for (let warm = 0; warm < 3; warm++) once(sides.build);
for (let round = 0; round < rounds; round++) {
  for (const side of Object.keys(sides)) {
    const { ms, stderr } = once(sides[side]);
    if (side === "build" && !stderr.includes("nothing to do")) throw new Error(`there was something to do:\n${stderr}`);
    times[side].push(ms);
  }
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const [bare, build] = [median(times.bare), median(times.build)];
console.log(`node ${process.version}: bare ${bare.toFixed(1)} ms, build with nothing to do ${build.toFixed(1)} ms, ratio ${(build / bare).toFixed(2)} (medians of ${rounds}, in turns)`);

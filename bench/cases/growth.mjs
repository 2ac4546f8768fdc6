// Nothing to do from 1,000 to 100,000 targets: what is above a bare Node grows as the targets do.
import { inTurns, median } from "../measure.mjs";
import { row } from "../table.mjs";

const SIZES = [1000, 3000, 10_000, 30_000, 100_000];
/** Ten times the targets may cost this many times as much; a fifth of it is the machine's noise. */
const MAY_GROW = 12;

export function* rows(bench) {
  const sizes = bench.quick ? SIZES.slice(0, 3) : SIZES;
  const sides = Object.fromEntries(
    sizes.map((n) => {
      const folder = bench.built("dospesos", n);
      return [`dospesos ${n}`, () => bench.build("dospesos", folder, { fresh: true })];
    }),
  );
  const atNinja =
    bench.peers.ninja === undefined ? [] : sizes.filter((n) => [1000, 10_000, 100_000].includes(n));
  for (const n of atNinja) {
    const folder = bench.built("ninja", n);
    sides[`ninja ${n}`] = () => bench.build("ninja", folder, { fresh: true });
  }
  const times = inTurns({ bare: () => bench.bare(), ...sides }, bench.rounds(9));
  const bare = median(times.bare);
  const points = (tool, at) => at.map((n) => [n, median(times[`${tool} ${n}`])]);
  bench.series.push({ name: `dospesos, Node ${bench.version}`, bare, points: points("dospesos", sizes) });
  if (atNinja.length > 0 && bench.series.every((one) => one.name !== "ninja")) {
    bench.series.push({ name: "ninja", bare: 0, points: points("ninja", atNinja) });
  }
  for (const [from, to] of bench.quick
    ? [[1000, 10_000]]
    : [
        [1000, 10_000],
        [10_000, 100_000],
      ]) {
    const grown = (median(times[`dospesos ${to}`]) - bare) / (median(times[`dospesos ${from}`]) - bare);
    const text = `${median(times[`dospesos ${from}`]).toFixed(0)} → ${median(times[`dospesos ${to}`]).toFixed(0)} ms`;
    yield row(`growth from ${from.toLocaleString("en")} to ${to.toLocaleString("en")} targets`, { text }, [
      { bar: `above bare Node ≤ ${MAY_GROW} × (is ${grown.toFixed(1)})`, met: grown <= MAY_GROW },
    ]);
  }
}

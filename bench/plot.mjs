// Time against the number of targets, as SVG: both axes logarithmic, and a line that grows as the targets do.

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 440, 64, 200, 24, 48];
const COLORS = ["#c2410c", "#1d4ed8", "#15803d", "#7e22ce"];

/** `series`: { name, bare, points: [n, ms][] }; `bare` is the part that does not grow, drawn as a level. */
export function plot(series) {
  const all = series.flatMap((one) => one.points);
  const x = scale(
    all.map(([n]) => n),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = scale(
    [...all.map(([, ms]) => ms), ...series.flatMap((one) => (one.bare > 0 ? [one.bare] : []))],
    HEIGHT - BOTTOM,
    TOP,
  );
  const [first, last] = [all[0][0], Math.max(...all.map(([n]) => n))];
  const line = (points) => points.map(([n, ms]) => `${x(n).toFixed(1)},${y(ms).toFixed(1)}`).join(" ");
  const ticks = [
    ...decades(x.low, x.high).map(
      (n) =>
        `<line x1="${x(n)}" y1="${TOP}" x2="${x(n)}" y2="${HEIGHT - BOTTOM}" ` +
        `class="grid"/><text x="${x(n)}" y="${HEIGHT - BOTTOM + 18}" ` +
        `text-anchor="middle">${n.toLocaleString("en")}</text>`,
    ),
    ...decades(y.low, y.high).map(
      (ms) =>
        `<line x1="${LEFT}" y1="${y(ms)}" x2="${WIDTH - RIGHT}" y2="${y(ms)}" class="grid"/><text ` +
        `x="${LEFT - 8}" y="${y(ms) + 4}" text-anchor="end">${ms.toLocaleString("en")} ms</text>`,
    ),
  ];
  const drawn = series.flatMap((one, index) => {
    const color = COLORS[index % COLORS.length];
    const [n, ms] = one.points.at(-1);
    const above = ms - one.bare;
    // What the last point promises for all others, if the part above the bare start is linear.
    const linear = Array.from({ length: 41 }, (_, step) => first * (last / first) ** (step / 40))
      .filter((at) => at <= n)
      .map((at) => [at, one.bare + above * (at / n)]);
    const within = linear.filter(([, at]) => at >= y.low);
    return [
      `<polyline points="${line(within)}" fill="none" stroke="${color}" stroke-dasharray="4 4" opacity="0.6"/>`,
      `<polyline points="${line(one.points)}" fill="none" stroke="${color}" stroke-width="2"/>`,
      ...one.points.map(
        ([at, took]) =>
          `<circle cx="${x(at).toFixed(1)}" cy="${y(took).toFixed(1)}" r="3.5" ` +
          `fill="${color}"><title>${at}: ${took.toFixed(1)} ms</title></circle>`,
      ),
      `<text x="${WIDTH - RIGHT + 10}" y="${TOP + 16 + index * 20}" fill="${color}">${one.name}</text>`,
    ];
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<style>.grid { stroke: #d4d4d4 } text { fill: #404040 }</style>
<rect width="100%" height="100%" fill="#ffffff"/>
${[...ticks, ...drawn].join("\n")}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">targets, nothing to do</text>
<text x="${WIDTH - RIGHT + 10}" y="${TOP + 24 + series.length * 20}">dashed: linear</text>
</svg>
`;
}

/** A logarithmic axis over whole decades. */
function scale(values, from, to) {
  const low = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...values)));
  const at = (value) =>
    from + ((Math.log10(value) - Math.log10(low)) / (Math.log10(high) - Math.log10(low))) * (to - from);
  return Object.assign(at, { low, high });
}

function decades(low, high) {
  const found = [];
  for (let at = low; at <= high; at *= 10) {
    found.push(at);
  }
  return found;
}

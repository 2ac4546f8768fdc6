// Sides take turns, so that a busy machine hurts all of them alike; what counts are ratios of medians.

/**
 * Runs each side once a round, after `warm` rounds that do not count. A side is a function that gives its
 * milliseconds. Gives the times of each side by name, sorted.
 */
export function inTurns(sides, rounds, warm = 2) {
  const times = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = -warm; round < rounds; round++) {
    for (const [name, side] of Object.entries(sides)) {
      const ms = side(round);
      if (round >= 0) {
        times[name].push(ms);
      }
    }
  }
  return Object.fromEntries(
    Object.entries(times).map(([name, list]) => [name, list.toSorted((a, b) => a - b)]),
  );
}

/** The value below which a share of a sorted list lies. */
export function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export function median(sorted) {
  return quantile(sorted, 0.5);
}

/** How much longer than usual the tests of random moments run: DOSPESOS_TORTURE=10 is ten times as long. */
export const torture = Number(process.env["DOSPESOS_TORTURE"] ?? "1");

/** Numbers from 0 up to 1 that the printed seed gives again: DOSPESOS_SEED=n. */
export function randomNumbers(what: string): () => number {
  let state = Number(process.env["DOSPESOS_SEED"] ?? Math.floor(Math.random() * 2 ** 31)) >>> 0;
  console.error(`\n${what}: DOSPESOS_SEED=${state}`);
  // mulberry32
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

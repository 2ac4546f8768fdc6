/**
 * When a change of a file shows in its times, and when it may not: whoever changes it twice within a tick
 * leaves no trace of the second time.
 */
import type { Stats } from "node:fs";

/**
 * Milliseconds that the kernel's clock for files may stand still, and the step of the coarsest file systems
 * (FAT, HFS+).
 */
const KERNEL_TICK = 20;
const COARSE_TICK = 2500;
/**
 * How long to wait for the kernel's tick: with what the clock of this process, which counts milliseconds, may
 * be behind.
 */
export const TICK = KERNEL_TICK + 2;

/**
 * The file system keeps times too coarse to tell two changes in a row apart: this time, in milliseconds, is a
 * whole second. Not a whole millisecond: as a double, one in 4,000 of the times that the kernel keeps in
 * nanoseconds looks like that.
 */
export function isCoarse(time: number): boolean {
  return time % 1000 === 0;
}

/**
 * Milliseconds until a change of the file would be sure to show. Only the ctime counts: whoever changes a
 * file and puts its mtime back still moves the ctime to the kernel's now.
 */
export function waitFor(stat: Stats | "loop" | undefined): number {
  if (stat === undefined || stat === "loop") {
    return 0;
  }
  return Math.max(0, stat.ctimeMs + (isCoarse(stat.ctimeMs) ? COARSE_TICK : KERNEL_TICK) - Date.now());
}

/**
 * Resolves after at least so many milliseconds. A timer alone may end early: it counts from the loop's last
 * turn.
 */
export async function passed(ms: number): Promise<void> {
  const end = performance.now() + ms;
  for (let left = ms; left > 0; left = end - performance.now()) {
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)));
  }
}

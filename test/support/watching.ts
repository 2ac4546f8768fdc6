import { rmSync } from "node:fs";
import * as assert from "uvu/assert";
import { start, type Started } from "./bin.ts";
import { contentsOf, put } from "./folder.ts";
import { tempFolder } from "./temp.ts";
import { buildAsTold } from "./told.ts";

/** Starts a watch and waits until it sees changes. */
export async function watching(root: string): Promise<Started> {
  const watch = start(root, "watch");
  await watch.tells(/watching:/);
  return watch;
}

export async function endOf(watch: Started): Promise<void> {
  watch.kill("SIGINT");
  const { exit, stderr } = await watch.end(3000);
  assert.is(exit, 130, stderr);
}

/** How often a watch has made a target since some offset of what it told. */
export function timesMade(watch: Started, target: string, from = 0): number {
  return watch.told.slice(from).split("\n").filter((line) => /^made /.test(line) && line.includes(target)).length;
}

/**
 * Ends a watch. What it left is what a build from nothing makes elsewhere of the same sources, and a build finds nothing to do, as
 * it told. `made`: what is no source; `besides`: what is neither, as a log.
 */
export async function endsRight(watch: Started, root: string, made: readonly string[] = ["out"], besides: readonly string[] = []): Promise<void> {
  await endOf(watch);
  assert.equal(buildAsTold(root), []);
  const clean = tempFolder("clean");
  const isOneOf = (names: readonly string[]) => (name: string): boolean => names.some((one) => name === one || name.startsWith(`${one}/`));
  const [isMade, isBeside] = [isOneOf(made), isOneOf([".git", ...besides])];
  for (const [name, text] of Object.entries(contentsOf(root, (one) => isMade(one) || isBeside(one)))) put(clean, name, text.replace(/^\d+ /, ""));
  buildAsTold(clean);
  const [here, there] = [contentsOf(root, isBeside), contentsOf(clean, isBeside)];
  for (const name of new Set([...Object.keys(here), ...Object.keys(there)])) assert.is(here[name], there[name], `${name} is as a clean build makes it`);
  rmSync(clean, { recursive: true });
}

/** How often a watch has told a problem since some offset of what it told. */
export function timesFailed(watch: Started, from = 0): number {
  return watch.told.slice(from).split("\n").filter((line) => /error DP\d/.test(line)).length;
}

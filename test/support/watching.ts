import { rmSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { dospesos, start, type Started } from "./bin.ts";
import { contentsOf, projectOf } from "./folder.ts";
import { buildAsTold } from "./told.ts";

/** One rule copies source/a.txt, the other joins all texts below source/. */
const TEXTS = `import { file, glob, project, rule } from "dospesos";
export default project(() => [
  rule({ target: "out/copy.txt", needs: { source: file("source/a.txt") }, recipe: ({ source }) => source.text }),
  rule({ target: "out/all.txt", needs: { all: glob("source/**/*.txt") }, recipe: ({ all }) => all.map((one) => one.path + ": " + one.text).join("") }),
]);
`;

/** A folder with these rules, source/a.txt and more files. */
export function projectOfTexts(more: Readonly<Record<string, string>> = {}): string {
  return projectOf(TEXTS, { "source/a.txt": "0\n", ...more });
}

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
  return watch.told
    .slice(from)
    .split("\n")
    .filter((line) => /^made /.test(line) && line.includes(target)).length;
}

/**
 * Ends a watch: then a build finds nothing to do, as it tells, and what there is of `made` is what a build
 * from nothing makes.
 */
export async function endsRight(
  watch: Started,
  root: string,
  made: readonly string[] = ["out"],
): Promise<void> {
  await endOf(watch);
  assert.equal(buildAsTold(root), []);
  const isSource = (name: string): boolean => !made.some((one) => name === one || name.startsWith(`${one}/`));
  const left = contentsOf(root, isSource);
  for (const name of [".dospesos", ...made]) {
    rmSync(join(root, name), { recursive: true });
  }
  assert.is(dospesos(root, "build").exit, 0);
  assert.equal(contentsOf(root, isSource), left, "what a clean build makes");
}

/** How often a watch has told a problem since some offset of what it told. */
export function timesFailed(watch: Started, from = 0): number {
  return watch.told
    .slice(from)
    .split("\n")
    .filter((line) => /error DP\d/.test(line)).length;
}

import { createHash } from "node:crypto";
import { ProblemError, shown } from "../problem/index.ts";
import { readRecipe, recipeProblems } from "./recipe-checks.ts";

/** A file of a component below its `artifacts/` folder. */
export interface Artifact {
  /** Relative to the component's folder, e.g. "artifacts/hello.sh". */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface ComponentSource {
  /** The name of its folder, which is also the component's. */
  readonly name: string;
  readonly file: string;
  readonly recipe: string;
  readonly artifacts: readonly Artifact[];
  /** Where artifacts are uploaded to, or undefined. */
  readonly bucket: string | undefined;
}

/** A recipe that is complete: named, versioned, and with the places where its artifacts will be. */
export interface VersionedRecipe {
  readonly ComponentName: string;
  readonly ComponentVersion: string;
  readonly [member: string]: unknown;
}

/**
 * The recipe with a version that follows from its content: major and minor as it says itself, and as the last
 * number a digest of the recipe and of every artifact. An artifact that the recipe names as "artifacts/…"
 * gets its S3 address.
 * https://docs.aws.amazon.com/greengrass/v2/developerguide/component-recipe-reference.html
 * @throws ProblemError (exit 2) for a recipe that is none, or names an artifact that is not there or cannot
 * be uploaded.
 */
export function versionedRecipe({ name, file, recipe, artifacts, bucket }: ComponentSource): VersionedRecipe {
  const problem = (what: string, fix: string): ProblemError =>
    new ProblemError([{ code: "DP641", location: { file }, what, fix }]);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)) {
    throw problem(
      `${shown(name)} is not a valid component name`,
      "name the folder with A-Z a-z 0-9 . _ - alone, e.g. com.example.Hello",
    );
  }
  const read = readRecipe(file, recipe);
  const problemAt = (path: readonly string[], what: string, fix: string): ProblemError =>
    new ProblemError([read.problem(path, what, fix)]);
  const parsed = read.value;
  if (parsed["ComponentName"] !== name) {
    throw problemAt(
      ["ComponentName"],
      `ComponentName is ${shown(String(parsed["ComponentName"]))}`,
      `the folder and the component have one name: ${name}`,
    );
  }
  const [, major, minor] = /^(\d{1,6})\.(\d{1,6})(?:\.\d+)?$/.exec(String(parsed["ComponentVersion"])) ?? [];
  if (major === undefined || minor === undefined) {
    throw problemAt(
      ["ComponentVersion"],
      `ComponentVersion is ${shown(String(parsed["ComponentVersion"]))}`,
      "write major and minor, e.g. 1.0; the last number follows from the content",
    );
  }
  const problems = recipeProblems(read);
  if (problems.length > 0) {
    throw new ProblemError(problems);
  }
  const { ComponentVersion: _, ...content } = parsed;
  const hash = createHash("sha256").update(JSON.stringify(content));
  for (const { path, bytes } of [...artifacts].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`\0${path}\0`).update(createHash("sha256").update(bytes).digest());
  }
  // Greengrass takes at most six digits for each number.
  const version = `${major}.${minor}.${hash.digest().readUIntBE(0, 6) % 1_000_000}`;
  const located = (_key: string, value: unknown): unknown => {
    if (typeof value !== "object" || value === null) {
      return value;
    }
    // AWS writes URI, and takes Uri.
    const { URI, Uri = URI, ...rest } = value as { URI?: unknown; Uri?: unknown };
    if (typeof Uri !== "string" || !Uri.startsWith("artifacts/")) {
      return value;
    }
    const path = Uri;
    if (!artifacts.some((one) => one.path === path)) {
      throw problem(
        `the recipe names ${shown(path)}, which is not there`,
        "add the file, or take the artifact out of the recipe",
      );
    }
    if (bucket === undefined) {
      throw problem(
        `the artifact ${shown(path)} has nowhere to go`,
        "set [components] bucket to a bucket of the account that cores may read",
      );
    }
    return { ...rest, Uri: `s3://${bucket}/${artifactKey(name, version, path)}` };
  };
  return JSON.parse(
    JSON.stringify({ ...parsed, ComponentName: name, ComponentVersion: version }, located),
  ) as VersionedRecipe;
}

/** Where an artifact lies in the bucket: a version's artifacts never change. */
export function artifactKey(name: string, version: string, path: string): string {
  return `components/${name}/${version}/${path.slice("artifacts/".length)}`;
}

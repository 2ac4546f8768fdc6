import { satisfies, validRange } from "semver";
import * as v from "valibot";
import { parse as parseYaml } from "yaml";

const platform = v.record(v.string(), v.unknown());
const artifact = v.looseObject({ Uri: v.optional(v.string()), URI: v.optional(v.string()) });
const manifest = v.looseObject({
  Platform: v.optional(platform, {}),
  Lifecycle: v.optional(v.unknown(), {}),
  Artifacts: v.nullish(v.array(artifact), []),
});

const dependency = v.looseObject({ VersionRequirement: v.optional(v.string()) });

/** What the sandbox reads of a recipe; the rest passes (Greengrass V2, component recipe reference). */
const recipe = v.looseObject({
  RecipeFormatVersion: v.literal("2020-01-25"),
  ComponentName: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9-_.]{1,128}$/)),
  ComponentVersion: v.pipe(v.string(), v.regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/)),
  ComponentType: v.optional(v.string(), "aws.greengrass.generic"),
  ComponentDependencies: v.nullish(v.record(v.string(), v.nullish(dependency)), {}),
  ComponentConfiguration: v.nullish(v.unknown(), {}),
  Lifecycle: v.optional(v.unknown(), {}),
  Manifests: v.nullish(v.array(manifest), []),
});

export type Recipe = v.InferOutput<typeof recipe>;
export type Artifact = v.InferOutput<typeof artifact>;

/**
 * The recipe in a text of JSON or YAML, as AWS gives it back: with the keys that its author left out.
 * @throws Error that says what is wrong with it.
 */
export function recipeIn(text: string): Recipe {
  let value: unknown;
  try {
    // JSON is YAML, and a mistake in either is told with its place.
    value = parseYaml(text, { maxAliasCount: 100 });
  } catch (error) {
    throw new Error(`The recipe is neither JSON nor YAML: ${(error as Error).message}`, { cause: error });
  }
  const parsed = v.safeParse(recipe, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new Error(`The recipe's ${v.getDotPath(issue) ?? "top level"} is not valid: ${issue.message}`);
  }
  return parsed.output;
}

/** What a core says that it is: os, architecture and runtime. */
export type PlatformAttributes = Readonly<Record<string, string>>;

/**
 * The manifest that a platform gets, the first that fits. One that names no runtime is for the classic nucleus alone
 * (aws-greengrass-lite, recipe module).
 */
export function manifestFor(
  { Manifests }: Recipe,
  attributes: PlatformAttributes,
): Recipe["Manifests"] extends infer M
  ? M extends readonly (infer One)[]
    ? One | undefined
    : never
  : never {
  return (Manifests ?? []).find(({ Platform }) =>
    Object.entries({ runtime: "aws_nucleus_classic", ...Platform }).every(([key, wanted]) => {
      const has = attributes[key] ?? (key === "runtime" ? "aws_nucleus_classic" : undefined);
      return wanted === "*" || (typeof wanted === "string" && isMeant(wanted, has));
    }),
  );
}

/** A name, or a regular expression between slashes. */
function isMeant(wanted: string, has: string | undefined): boolean {
  const [, pattern] = /^\/(.*)\/$/.exec(wanted) ?? [];
  return (
    has !== undefined && (pattern === undefined ? wanted === has : new RegExp(`^(?:${pattern})$`).test(has))
  );
}

/** Whether a version meets a range as recipes write them, e.g. ">=2.5.0 <3.0.0" or "^1.2.0". */
export function meets(version: string, range: string): boolean {
  return validRange(range) !== null && satisfies(version, range);
}

/** The recipe as a core gets it: an artifact is fetched by its name, wherever the account keeps it. */
export function recipeForCore(found: Recipe, artifactName: (uri: string) => string): string {
  const manifests = (found.Manifests ?? []).map((one) => ({
    ...one,
    Artifacts: (one.Artifacts ?? []).map(({ URI, Uri = URI, ...rest }) => ({
      ...rest,
      ...(Uri === undefined
        ? {}
        : { Uri: Uri.startsWith("s3://") ? `greengrass:${artifactName(Uri)}` : Uri }),
    })),
  }));
  return JSON.stringify({ ...found, Manifests: manifests });
}

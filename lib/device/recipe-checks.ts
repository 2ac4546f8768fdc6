import { validRange } from "semver";
import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Pair,
} from "yaml";
import { didYouMean, ProblemError, shown, type Problem, type SourceLocation } from "../problem/index.ts";

/** A recipe that was read, and where its parts stand. */
export interface ReadRecipe {
  readonly value: Readonly<Record<string, unknown>>;
  /** A problem at the part that the path names, or at the nearest one above it. */
  readonly problem: (path: readonly (string | number)[], what: string, fix: string, why?: string) => Problem;
}

const TOP = [
  "RecipeFormatVersion",
  "ComponentName",
  "ComponentVersion",
  "ComponentDescription",
  "ComponentPublisher",
  "ComponentType",
  "ComponentSource",
  "ComponentConfiguration",
  "ComponentDependencies",
  "Manifests",
  "Lifecycle",
];
const LIFECYCLE = ["bootstrap", "install", "run", "startup", "shutdown", "recover", "setenv"];
const SYSTEMS = ["*", "all", "linux", "darwin", "windows"];
const RUNTIMES = ["*", "aws_nucleus_classic", "aws_nucleus_lite"];

/**
 * Reads a recipe in JSON, which is YAML, too.
 * @throws ProblemError (exit 2) with the line where it is none.
 */
export function readRecipe(file: string, text: string): ReadRecipe {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined): SourceLocation => {
    const { line, col } = lines.linePos(offset ?? 0);
    return { file, line, column: col };
  };
  if (document.errors.length > 0) {
    throw new ProblemError(
      document.errors.map(({ message, pos }) => ({
        code: "DP641",
        location: at(pos[0]),
        what: `the recipe is neither JSON nor YAML: ${message}`,
        fix: "correct it there",
      })),
    );
  }
  const problem: ReadRecipe["problem"] = (path, what, fix, why) => ({
    code: "DP641",
    location: at(offsetOf(document, path)),
    what,
    ...(why === undefined ? {} : { why }),
    fix,
  });
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ProblemError([problem([], "the recipe is not an object", "begin it with RecipeFormatVersion")]);
  }
  return { value: value as Record<string, unknown>, problem };
}

/** Where a part begins: its key, or the part itself in a list. */
function offsetOf(document: Document, path: readonly (string | number)[]): number | undefined {
  let node: unknown = document.contents;
  let offset = (node as Node | null)?.range?.[0];
  for (const step of path) {
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find(({ key }) => isScalar(key) && key.value === step);
      if (pair === undefined) {
        return offset;
      }
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === "number") {
      node = node.items[step];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

/**
 * What is wrong with a recipe before anybody uploads it: its keys, dependencies, platforms and lifecycles
 * (https://docs.aws.amazon.com/greengrass/v2/developerguide/component-recipe-reference.html).
 */
export function recipeProblems({ value, problem }: ReadRecipe): Problem[] {
  const problems: Problem[] = [];
  for (const key of Object.keys(value)) {
    if (!TOP.includes(key)) {
      const meant = didYouMean(key, TOP);
      problems.push(
        problem(
          [key],
          `a recipe has no ${shown(key)}`,
          meant === undefined ? "take it out" : `did you mean ${meant}?`,
        ),
      );
    }
  }
  if (value["RecipeFormatVersion"] !== "2020-01-25") {
    problems.push(
      problem(
        ["RecipeFormatVersion"],
        "RecipeFormatVersion is not 2020-01-25",
        "RecipeFormatVersion: '2020-01-25'",
      ),
    );
  }
  const dependencies = value["ComponentDependencies"];
  for (const [name, said] of isObject(dependencies) ? Object.entries(dependencies) : []) {
    problems.push(...dependencyProblems(name, said, problem));
  }
  const manifests = value["Manifests"];
  if (!Array.isArray(manifests) || manifests.length === 0) {
    problems.push(
      problem(["Manifests"], "the recipe has no Manifests", "add one, with Platform and Lifecycle"),
    );
  }
  for (const [index, manifest] of (Array.isArray(manifests) ? manifests : []).entries()) {
    problems.push(...manifestProblems(manifest, ["Manifests", index], problem));
  }
  return problems;
}

type Reporter = ReadRecipe["problem"];

function dependencyProblems(name: string, said: unknown, problem: Reporter): Problem[] {
  const path = ["ComponentDependencies", name];
  const { VersionRequirement: range, DependencyType: type } = isObject(said) ? said : {};
  const problems: Problem[] = [];
  if (range !== undefined && (typeof range !== "string" || validRange(range) === null)) {
    problems.push(
      problem(
        [...path, "VersionRequirement"],
        `${asWritten(range)} is no range of versions`,
        "e.g. VersionRequirement: '>=2.0.0 <3.0.0', or '^1.2.0'",
      ),
    );
  }
  if (type !== undefined && type !== "HARD" && type !== "SOFT") {
    problems.push(
      problem([...path, "DependencyType"], `DependencyType is ${asWritten(type)}`, "HARD or SOFT"),
    );
  }
  return problems;
}

function manifestProblems(manifest: unknown, path: (string | number)[], problem: Reporter): Problem[] {
  const { Platform, Lifecycle } = isObject(manifest) ? manifest : {};
  const problems: Problem[] = [];
  const { os, runtime } = isObject(Platform) ? Platform : {};
  for (const [key, said, known] of [
    ["os", os, SYSTEMS],
    ["runtime", runtime, RUNTIMES],
  ] as const) {
    if (said !== undefined && !(typeof said === "string" && (known.includes(said) || said.startsWith("/")))) {
      problems.push(
        problem([...path, "Platform", key], `${key} is ${asWritten(said)}`, `one of ${known.join(", ")}`),
      );
    }
  }
  if (!isObject(Lifecycle)) {
    return problems;
  }
  const steps = Object.keys(Lifecycle);
  for (const step of steps) {
    if (!LIFECYCLE.includes(step.toLowerCase())) {
      const meant = didYouMean(step.toLowerCase(), LIFECYCLE);
      problems.push(
        problem(
          [...path, "Lifecycle", step],
          `a lifecycle has no ${shown(step)}`,
          meant === undefined ? `one of ${LIFECYCLE.join(", ")}` : `did you mean ${meant}?`,
        ),
      );
    }
  }
  const lower = steps.map((step) => step.toLowerCase());
  if (lower.includes("run") && lower.includes("startup")) {
    problems.push(
      problem(
        [...path, "Lifecycle", steps[lower.indexOf("startup")]!],
        "the lifecycle has both run and startup",
        "keep one: run for a process that goes on, startup for one that begins and ends",
        "a component has one of them only",
      ),
    );
  }
  return problems;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asWritten(value: unknown): string {
  return shown(typeof value === "string" ? value : JSON.stringify(value));
}

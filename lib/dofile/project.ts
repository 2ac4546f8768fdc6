import { findSourceMap } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  fullPath,
  look,
  placeInStack,
  edgesOf,
  type Declaration,
  type Group,
  type Origin,
  type Step,
  type GraphSource,
  type Observer,
  type Dofile,
} from "../engine/index.ts";
import { ProblemError, type SourceLocation } from "../problem/index.ts";
import { bundleDofile, bundleEdges, codeDigest, moduleAt } from "./bundle.ts";
import { noteLoaded } from "./packages.ts";
import type { Bundle, Program } from "./program.ts";
import { evaluateIn, Evaluation } from "./evaluation.ts";
import { projectReader } from "./settings-reader.ts";
import { refuseOtherWriters } from "./writers.ts";

/** What a Dofile exports: a function that is called each time the graph is made. */
export interface Project {
  readonly kind: "project";
  define: (input: ProjectInput<unknown>) => readonly (Step<unknown> | Group)[];
}

export interface ProjectInput<S> {
  readonly settings: S;
  env: (name: string) => string | undefined;
  /** Names of the source files that match a pattern of fast-glob. */
  glob: (pattern: string) => readonly string[];
}

interface Evaluated {
  readonly offered: readonly (Step<unknown> | Group)[];
  readonly evaluation: Evaluation;
  /** The bundle as it is in stack traces. */
  readonly url: string;
}

/**
 * The Dofile of a project: `name` is relative to the root; `settings` is the typed view that its function
 * gets. Evaluating throws a ProblemError (exit 2) for a Dofile that is missing, cannot be compiled, or
 * throws.
 */
export function dofileOf(program: Program, name: string, settings: unknown): Dofile {
  return {
    async evaluate(observer, keep) {
      const { bundle, dispose } = await bundleOf(observer, program, name, keep);
      try {
        const evaluated = await evaluate(observer, name, settings, bundle, true);
        return sourceOf(observer, program, bundle, evaluated);
      } finally {
        dispose();
      }
    },
    async declarations(observer) {
      const { bundle, dispose } = await bundleOf(observer, program, name, true);
      try {
        return (await evaluate(observer, name, settings, bundle, false)).offered;
      } finally {
        dispose();
      }
    },
  };
}

function bundleOf(
  observer: Observer,
  program: Program,
  name: string,
  keep: boolean,
): ReturnType<typeof bundleDofile> {
  if (look(fullPath(observer.root, name), true) === undefined) {
    throw new ProblemError([
      {
        code: "DP241",
        location: { file: name },
        what: "there is no such file here",
        fix: "run dospesos in a project's folder, or name it with -C DIR",
      },
    ]);
  }
  return bundleDofile(observer, program, name, keep);
}

/** How many evaluations this process has seen: it makes the address of each import new. */
let evaluations = 0;

/**
 * Runs the Dofile's function. `origins`: also finds out where each declaration comes from, which costs a
 * stack trace each.
 */
async function evaluate(
  observer: Observer,
  name: string,
  settings: unknown,
  bundle: Bundle,
  origins: boolean,
): Promise<Evaluated> {
  process.setSourceMapsEnabled(true);
  refuseOtherWriters(
    observer.root,
    bundle.inputs.map(([input]) => input),
  );
  noteLoaded(observer.root, bundle.inputs);
  // A module that was evaluated for another state of the world must not be met again: each evaluation imports
  // it anew.
  const url = `${pathToFileURL(bundle.path).href}?evaluation=${(evaluations += 1)}`;
  const modules = origins
    ? { url, dofile: name, moduleAt: (line: number) => moduleAt(bundle, line) }
    : undefined;
  const evaluation = new Evaluation(observer, modules, bundle.declaring);
  const offered = await evaluateIn(evaluation, async () => {
    const module = (await import(url)) as { default?: Project };
    if (module.default?.kind !== "project") {
      throw new ProblemError([
        {
          code: "DP242",
          location: { file: name },
          what: "its default export is not a project",
          fix: "export default project(({ settings }) => […])",
        },
      ]);
    }
    return module.default.define({
      settings,
      env: projectReader.environment,
      glob: projectReader.glob,
    });
  }).catch((error: unknown) => {
    throw dofileProblem(observer.root, name, error);
  });
  return { offered, evaluation, url };
}

/** What was declared, with the code that each declaration is made of. */
function sourceOf(
  observer: Observer,
  program: Program,
  bundle: Bundle,
  { offered, evaluation, url }: Evaluated,
): GraphSource {
  const codes = new Map<string, string>();
  const code = ({ origin, version }: Declaration): string => {
    if (version !== undefined) {
      return `version ${version}`;
    }
    const key = origin.modules.join("\0");
    const known = codes.get(key) ?? codeDigest(bundle, program, origin.modules, evaluation.declaring);
    codes.set(key, known);
    return known;
  };
  const edges = edgesOf(new Map([...bundleEdges(bundle, observer), ...evaluation.reads]));
  return {
    offered,
    code,
    location: ({ origin }) => sourcePlace(observer.root, url, bundle, origin.site),
    edges,
  };
}

/** Where in the sources a site of the bundle is. */
function sourcePlace(
  root: string,
  url: string,
  bundle: Bundle,
  site: Origin["site"],
): SourceLocation | undefined {
  if (site === undefined) {
    return undefined;
  }
  const entry = findSourceMap(url)?.findEntry(site.line - 1, site.column - 1);
  if (entry === undefined || !("originalSource" in entry)) {
    return undefined;
  }
  const source = entry.originalSource.startsWith("file:")
    ? fileURLToPath(entry.originalSource)
    : join(dirname(bundle.path), entry.originalSource);
  return { file: relative(root, source), line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}

function dofileProblem(root: string, dofile: string, error: unknown): ProblemError {
  if (error instanceof ProblemError) {
    return error;
  }
  const { name, message, stack } =
    error instanceof Error ? error : new Error(String(error), { cause: error });
  const location = placeInStack(root, stack ?? "") ?? { file: dofile };
  return new ProblemError([{ code: "DP243", location, what: `the Dofile failed: ${name}: ${message}` }]);
}

import { posix } from "node:path";
import type { Problem } from "../problem/index.ts";
import type { Node } from "./nunjucks.ts";
import { parsed } from "./syntax.ts";

/**
 * Where template texts come from; the build engine implements it and records every call as a prerequisite of
 * the step that renders.
 */
export interface TemplateReader {
  /**
   * The text of the file at a project-relative path, or undefined if there is none (the absence is recorded
   * too).
   */
  read: (path: string) => string | undefined;
  /** Whether a link leads from this path out of the project: then nothing that a template includes is read there. */
  leaves?: (path: string) => boolean;
}

/** One template file as it was last seen. */
export interface Source {
  readonly text: string;
  readonly tree: Node | undefined;
  readonly problem: Problem | undefined;
  /** The project-relative paths of what it includes, without those outside of the project. */
  readonly includes: readonly string[];
}

/** Stands for an included file that a link leads out of the project. */
export const LEFT: Source = { text: "", tree: undefined, problem: undefined, includes: [] };

/** A template and all that it includes, in the order of reading; undefined for files that are not there. */
export type Closure = ReadonlyMap<string, Source | undefined>;

/**
 * Asks the reader for a template and for all that it includes, every time; parses again only what has changed
 * (`seen`, by path).
 */
export function readClosure(template: string, reader: TemplateReader, seen: Map<string, Source>): Closure {
  const closure = new Map<string, Source | undefined>();
  const waiting = [template];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (closure.has(path)) {
      continue;
    }
    const source =
      path !== template && reader.leaves?.(path) === true ? LEFT : readSource(path, reader, seen);
    closure.set(path, source);
    if (source !== undefined) {
      waiting.push(...source.includes);
    }
  }
  return closure;
}

function readSource(path: string, reader: TemplateReader, seen: Map<string, Source>): Source | undefined {
  const text = reader.read(path);
  if (text === undefined) {
    seen.delete(path);
    return undefined;
  }
  const known = seen.get(path);
  if (known?.text === text) {
    return known;
  }
  const result = parsed(text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n"), path);
  const source =
    "tree" in result
      ? { text, tree: result.tree, problem: undefined, includes: includesOf(result.tree, path) }
      : { text, tree: undefined, problem: result.problem, includes: [] };
  seen.set(path, source);
  return source;
}

function includesOf(node: Node | null, file: string): string[] {
  switch (node?.typename) {
    case "Root":
    case "NodeList":
      return node.children.flatMap((child) => includesOf(child, file));
    case "If":
    case "For":
      return [...includesOf(node.body, file), ...includesOf(node.else_, file)];
    case "Include": {
      const path = node.template.typename === "Literal" ? includePath(node.template.value, file) : undefined;
      return path === undefined ? [] : [path];
    }
    default:
      return [];
  }
}

/**
 * The project-relative path that an include names, from its own file if it begins with ./ or ../; undefined
 * outside of the project.
 */
export function includePath(written: unknown, file: string): string | undefined {
  if (typeof written !== "string" || written === "" || /[\\\0]/.test(written) || written.startsWith("/")) {
    return undefined;
  }
  const path = posix.normalize(/^\.\.?\//.test(written) ? posix.join(posix.dirname(file), written) : written);
  return path === ".." || path.startsWith("../") || path.endsWith("/") || path === "." ? undefined : path;
}

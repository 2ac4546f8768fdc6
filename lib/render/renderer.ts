import { ProblemError, shown, type Problem } from "../problem/index.ts";
import { code } from "./codes.ts";
import { languageOf, TEMPLATE_NAMES, type Language } from "./language.ts";
import { compile, runtime, type Root } from "./nunjucks.ts";
import { TemplateError, type Operation, type Rendering } from "./operation.ts";
import { checkPositions } from "./position/index.ts";
import { readClosure, type Closure, type Source, type TemplateReader } from "./sources.ts";
import { statements } from "./statements.ts";
import { Translation } from "./translation.ts";

export interface Renderer {
  /**
   * The text that a template makes of values; line ends are LF. Asks the reader for the template and for
   * everything that it includes, on every call. Throws a ProblemError (exit 2) with all problems that the
   * template's text shows, or with the first one that its values show; a ProblemError that a value throws
   * when it is read is passed on, naming the template.
   */
  render: (template: string, values: Readonly<Record<string, unknown>>, reader: TemplateReader) => string;
}

/** A compiled template and what it was compiled from. */
interface Compiled {
  readonly closure: Closure;
  readonly language: Language;
  readonly root: Root;
  readonly operations: readonly Operation[];
}

const MAX_CHARACTERS = 10 * 1024 * 1024;
const MAX_TURNS = 1_000_000;

/**
 * A renderer keeps compiled templates, keyed by the texts of a template and all that it includes. Create one
 * per process.
 */
export function createRenderer(): Renderer {
  const seen = new Map<string, Source>();
  const compiled = new Map<string, Compiled>();
  return {
    render(template, values, reader) {
      const closure = readClosure(template, reader, seen);
      let ready = compiled.get(template);
      if (ready === undefined || !sameClosure(ready.closure, closure)) {
        ready = compileClosure(template, closure);
        compiled.set(template, ready);
      }
      return run(ready, template, values);
    },
  };
}

/** Sources are kept as long as their text stays the same, so the same text is the same object. */
function sameClosure(a: Closure, b: Closure): boolean {
  if (a.size !== b.size) {
    return false;
  }
  for (const [path, source] of a) {
    if (!b.has(path) || b.get(path) !== source) {
      return false;
    }
  }
  return true;
}

function compileClosure(template: string, closure: Closure): Compiled {
  const language = languageOf(template);
  if (language === undefined) {
    throw failed({
      code: code.language,
      location: { file: template },
      what: `no quoting filter for ${shown(template)}`,
      why: "the name before .njk says the output's language",
      fix: `end the name in one of ${TEMPLATE_NAMES}`,
    });
  }
  if (closure.get(template) === undefined) {
    const fix = "create it, or correct the path in the rule";
    throw failed({
      code: code.missing,
      location: { file: template },
      what: "there is no such template",
      fix,
    });
  }
  const translation = new Translation(language);
  const root = statements(template, closure, translation);
  checkPositions(root, template, translation);
  if (translation.problems.length > 0) {
    throw new ProblemError(translation.problems.sort(inFileOrder));
  }
  return { closure, language, root: compile(root), operations: translation.operations };
}

function inFileOrder({ location: a }: Problem, { location: b }: Problem): number {
  if (a?.file !== b?.file) {
    return (a?.file ?? "") < (b?.file ?? "") ? -1 : 1;
  }
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}

function run(compiled: Compiled, template: string, values: Readonly<Record<string, unknown>>): string {
  const rendering: Rendering = { values, turnsLeft: MAX_TURNS, charactersLeft: MAX_CHARACTERS };
  const env = { opts: { autoescape: false }, getFilter: (name: string) => compiled.operations[Number(name)] };
  // These two are in front of nunjucks' own: errors stay what they are, and every output is counted.
  const hooks = Object.assign(Object.create(runtime) as object, {
    handleError: (error: unknown) => error,
    suppressValue: (text: string) => {
      rendering.charactersLeft -= text.length;
      if (rendering.charactersLeft < 0) {
        throw new TemplateError({
          code: code.limit,
          what: "the output is longer than 10 MB",
          fix: "loop over less",
        });
      }
      return text;
    },
  });
  const results: { readonly error: unknown; readonly text: unknown }[] = [];
  compiled.root(env, rendering, new runtime.Frame(), hooks, (error, text) => results.push({ error, text }));
  const [{ error, text } = { error: undefined, text: undefined }] = results;
  if (error instanceof TemplateError) {
    throw failed({ ...error.problem, location: { file: template } });
  }
  if (typeof text !== "string") {
    throw error instanceof Error ? error : new Error("the compiled template gave no text");
  }
  if (compiled.language === "json") {
    checkJson(text, template);
  }
  return text;
}

/**
 * Whether commas and brackets fit depends on the values of conditions and loops, so it is checked on the
 * whole text.
 */
function checkJson(text: string, template: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw failed({
      code: code.result,
      location: { file: template },
      what: "the rendered text is not JSON",
      why: "a comma or a bracket is missing or left over with these values",
      fix: "pass lists and objects whole: {{ list | json }}",
    });
  }
}

function failed(problem: Problem): ProblemError {
  return new ProblemError([problem]);
}

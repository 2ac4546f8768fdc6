import { didYouMean, shown, type SourceLocation, type Problem } from "../problem/index.ts";
import { code } from "./codes.ts";
import { dropLoneTagLines } from "./lone-tags.ts";
import { lex, parse, type Node } from "./nunjucks.ts";

const TAGS = ["if", "elif", "else", "endif", "for", "endfor", "include", "raw", "endraw"];

/** The syntax tree of a template's text, or what is wrong with the text. */
export function parsed(text: string, file: string): { readonly tree: Node } | { readonly problem: Problem } {
  try {
    return { tree: parse(dropLoneTagLines(lex(text), text)) };
  } catch (error) {
    return { problem: syntaxProblem(error instanceof Error ? error : new Error(String(error)), text, file) };
  }
}

function syntaxProblem(error: Error, text: string, file: string): Problem {
  const message = error.message.trim().replace(/^parse\w+: /, "");
  if (error instanceof RangeError) {
    return {
      code: code.syntax,
      location: { file },
      what: "tags or expressions are nested too deeply",
      fix: "nest less",
    };
  }
  const location = errorPlace(error, file);
  if (location !== undefined) {
    const tag = /^unknown block tag: (.*)$/s.exec(message)?.[1];
    if (tag !== undefined) {
      return { code: code.syntax, location, ...tagProblem(tag) };
    }
    return {
      code: code.syntax,
      location,
      what: message,
      fix: "see the tags and expressions of nunjucks templates",
    };
  }
  const open = lastOpen(text);
  return {
    code: code.syntax,
    location: { file, line: open.line, column: open.column },
    what: `${open.what} is not closed`,
    fix: `close it with ${open.closing}`,
  };
}

function tagProblem(tag: string): { readonly what: string; readonly fix: string } {
  if (tag.startsWith("end") || tag.startsWith("el")) {
    return {
      what: `the tag ${shown(tag)} closes nothing that is open`,
      fix: "remove it, or open its tag before",
    };
  }
  const near = didYouMean(tag, TAGS);
  const fix = near === undefined ? `use one of ${TAGS.join(", ")}` : `did you mean ${near}?`;
  return { what: `there is no tag ${shown(tag)}`, fix };
}

/** nunjucks' TemplateError has a place, counted from 1, unless the text ended; its other errors have none. */
function errorPlace(error: Error, file: string): SourceLocation | undefined {
  const { lineno, colno } = error as Error & { readonly lineno?: unknown; readonly colno?: unknown };
  return typeof lineno === "number" && typeof colno === "number"
    ? { file, line: lineno, column: colno }
    : undefined;
}

interface Open {
  readonly what: string;
  readonly closing: string;
  readonly line: number;
  readonly column: number;
}

/** The tag, output or comment that the end of the text cuts off: nunjucks only says that the text ended. */
function lastOpen(text: string): Open {
  const lexer = lex(text);
  const blocks: Open[] = [];
  let bracket: Open | undefined;
  let firstWord = false;
  let here = { line: 1, column: 1 };
  try {
    for (;;) {
      here = { line: lexer.lineno + 1, column: lexer.colno + 1 };
      const token = lexer.nextToken();
      if (token === null) {
        break;
      }
      if (token.type === "whitespace") {
        continue;
      }
      if (token.type === "block-start") {
        bracket = { what: "the tag {%", closing: "%}", ...here };
      } else if (token.type === "variable-start") {
        bracket = { what: "the output {{", closing: "}}", ...here };
      } else if (token.type === "block-end" || token.type === "variable-end") {
        bracket = undefined;
      } else if (firstWord && bracket !== undefined) {
        countBlock(String(token.value), bracket, blocks);
      }
      firstWord = token.type === "block-start";
    }
  } catch {
    const closing = "#}; for the characters {# themselves write {% raw %}{#{% endraw %}";
    return { what: "the comment {#", closing, ...here };
  }
  return bracket ?? blocks.at(-1) ?? { what: "something in this template", closing: "its end tag", ...here };
}

/** Opens or closes a block by the first word of a tag. */
function countBlock(word: string, bracket: Open, blocks: Open[]): void {
  if (word === "endif" || word === "endfor") {
    blocks.pop();
  }
  if (word === "if" || word === "for") {
    blocks.push({ ...bracket, what: `the tag {% ${word} %}`, closing: `{% end${word} %}` });
  }
}

import type { Lexer, Token } from "./nunjucks.ts";

const LONE_TAG = /(?:\{%(?:(?!%\})[^])*%\}|\{#(?:(?!#\})[^])*#\})[ \t]*(?:\n|$)/y;
const LINE_END = /[ \t]*(?:\n|$)/y;
const LONE_END_RAW = /^[ \t]*\{%-?\s*endraw\s*-?%\}$/;

/**
 * Makes the lexer drop the lines that hold nothing but one tag or comment, so that these leave no empty line
 * in the output. A line end behind a tag that shares its line stays (nunjucks' own trimBlocks would join such
 * a line with the next one).
 */
export function dropLoneTagLines(lexer: Lexer, text: string): Lexer {
  const next = lexer.nextToken.bind(lexer);
  const lineBefore = (index: number): string =>
    text.slice(index === 0 ? 0 : text.lastIndexOf("\n", index - 1) + 1, index);
  const skipLineEnd = (tagStart: number): void => {
    if (lineBefore(tagStart).trim() !== "") {
      return;
    }
    for (const _ of matchAt(LINE_END, text, lexer.index) ?? "") {
      lexer.forward();
    }
  };
  let tagStart = 0;
  lexer.nextToken = (): Token | null => {
    const token = next();
    if (token === null || typeof token.value !== "string") {
      return token;
    }
    const start = lexer.index - token.value.length;
    switch (token.type) {
      case "block-start":
        tagStart = start;
        return token;
      case "block-end":
        skipLineEnd(tagStart);
        return token;
      case "comment":
        refuseLength(text, start);
        skipLineEnd(start);
        return token;
      case "data": {
        const loneTagFollows = matchAt(LONE_TAG, text, lexer.index) !== undefined;
        return { ...token, value: dataWithout(token.value, lineBefore(start), loneTagFollows) };
      }
      default:
        return token;
    }
  };
  return lexer;
}

/**
 * The data behind `before` on its line, without the line end of a lone {% endraw %} (which is no token of its
 * own) and the indentation of a lone tag.
 */
function dataWithout(data: string, before: string, loneTagFollows: boolean): string {
  const lineEnd = LONE_END_RAW.test(before) ? /^[ \t]*\n/.exec(data)?.[0] : undefined;
  const rest = data.slice(lineEnd?.length ?? 0);
  if (!loneTagFollows) {
    return rest;
  }
  const indentation = /(?<=^|\n)[ \t]*$/.exec(rest);
  if (indentation === null) {
    return rest;
  }
  const onItsLine = indentation.index > 0 || before === "" || lineEnd !== undefined;
  return onItsLine ? rest.slice(0, indentation.index) : rest;
}

/** A shell's `${#NAME}` would begin a comment, and all up to the next `#}` would be gone without a word. */
function refuseLength(text: string, comment: number): void {
  if (text[comment - 1] === "$") {
    const lines = text.slice(0, comment).split("\n");
    throw Object.assign(
      new Error("`{#` begins a comment, also in ${#NAME}: put {% raw %} and {% endraw %} around the shell's"),
      { lineno: lines.length, colno: lines.at(-1)!.length + 1 },
    );
  }
}

function matchAt(pattern: RegExp, text: string, index: number): string | undefined {
  pattern.lastIndex = index;
  return pattern.exec(text)?.[0];
}

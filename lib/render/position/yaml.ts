import { lengthened, metLine, NEW_LINE, withOutput, type Line } from "./line.ts";
import type { Positions, Refuse } from "./positions.ts";

/** What the lines so far mean for the next one. Columns count from 0. */
interface Above {
  /** The quote that is open. */
  readonly quote: "" | '"' | "'";
  /**
   * Lines with more blanks than this belong to the text of a block scalar (`|` or `>`); -1: all lines do, up
   * to the next document.
   */
  readonly block: number | undefined;
  /** Lines with more blanks than this continue the value that is above. */
  readonly value: number | undefined;
}
interface State {
  readonly above: Above;
  readonly line: Line;
}

const FIX = "write it as a whole value at the end of a line: `key: {{ … | yaml }}` or `- {{ … | yaml }}`";
const NOTHING_OPEN: Above = { quote: "", block: undefined, value: undefined };
const BEFORE_VALUE = /^ *(?:- +)*(?:[A-Za-z0-9_./-]+(?:[ :][A-Za-z0-9_./-]+)*: +)?$/;

/**
 * YAML line by line. It knows block scalars, quotes over several lines, comments and values that go on in the
 * next line. It does not follow flow collections over several lines: inside of them it takes every line for
 * the value above and refuses. Assumes that a line which is text of a block or goes on with a value on one
 * way through the tags is no structure on another.
 */
export function yamlPositions(refuse: Refuse): Positions<State> {
  return {
    start: { above: NOTHING_OPEN, line: NEW_LINE },
    text(state, text) {
      const [first = "", ...lines] = text.split("\n");
      let line = lengthened(state.line, first, refuse, FIX);
      let above = state.above;
      for (const next of lines) {
        const ways = line.texts.map((whole): Above | undefined => below(above, whole));
        // ways that disagree leave everything that follows in doubt
        above = ways.reduce((a, b) => a && b && metAbove(a, b)) ?? { ...NOTHING_OPEN, block: -1 };
        line = lengthened(NEW_LINE, next, refuse, FIX);
      }
      return { above, line };
    },
    output({ above, line }, output) {
      const reason = line.texts.map((text) => whyNot(above, text)).find((why) => why !== undefined);
      return { above, line: withOutput(line, output, reason, refuse, FIX) };
    },
    meet(a, b) {
      const above = metAbove(a.above, b.above);
      const line = metLine(a.line, b.line);
      return above === undefined || line === undefined ? undefined : { above, line };
    },
  };
}

/** What two ways through the tags mean together: what either of them refuses. */
function metAbove(a: Above, b: Above): Above | undefined {
  return a.quote === b.quote
    ? { quote: a.quote, block: lower(a.block, b.block), value: lower(a.value, b.value) }
    : undefined;
}

function lower(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function whyNot(above: Above, line: string): string | undefined {
  if (above.quote !== "") {
    return "it is inside a quoted text that begins on a line above";
  }
  if (above.block !== undefined && indent(line) > above.block) {
    return "it is inside the text of a block (`|` or `>`)";
  }
  if (!BEFORE_VALUE.test(line)) {
    return "it is not the whole value behind `key: ` or `- `";
  }
  if (above.value !== undefined && indent(line) > above.value) {
    return "its line continues the value that is above";
  }
  return undefined;
}

/** What a finished line means for the next one. */
function below(above: Above, line: string): Above {
  if (above.block !== undefined) {
    const newDocument = /^(?:---|\.\.\.)(?:\s|$)/.test(line);
    const inside = above.block === -1 ? !newDocument : line.trim() === "" || indent(line) > above.block;
    if (inside) {
      return above;
    }
  }
  const { quote, text } = plainPart(line, above.quote);
  if (quote !== "") {
    return { ...NOTHING_OPEN, quote };
  }
  if (above.quote !== "") {
    return NOTHING_OPEN;
  }
  if (text.trim() === "") {
    return { ...above, block: undefined };
  }
  if (/(?:^|\s)[|>][-+0-9]*\s*$/.test(text)) {
    return { ...NOTHING_OPEN, block: nodeColumn(text) };
  }
  if (above.value !== undefined && indent(text) > above.value) {
    return { ...NOTHING_OPEN, value: above.value };
  }
  return valueFollows(text) ? NOTHING_OPEN : { ...NOTHING_OPEN, value: nodeColumn(text) };
}

function indent(line: string): number {
  return line.length - line.trimStart().length;
}

/**
 * Whether a line ends before its value: behind `key:`, a dash, an anchor or a tag; or has none, like `---`,
 * `%YAML 1.2` or a closing bracket.
 */
function valueFollows(line: string): boolean {
  const value = line
    .replace(/^ *(?:- +)*/, "")
    .replace(/^(?:[^:]|:(?=\S))*:(?=\s|$)/, "")
    .trim();
  return /^(?:|-+|\.\.\.|[&!]\S*|[\]}]+,?|%.*)$/.test(value);
}

/**
 * The column of the key, or of the last dash, that the line's value belongs to: lines that continue the value
 * stand to the right of it. A line without either hangs on a line above; whatever has its own indentation may
 * continue it.
 */
function nodeColumn(line: string): number {
  const start = /^ *(?:- +)*/.exec(line)?.[0].length ?? 0;
  if (/^---(?:\s|$)/.test(line)) {
    return -1;
  }
  if (/:(?:\s|$)/.test(line.slice(start))) {
    return start;
  }
  const dash = line.slice(0, start).lastIndexOf("-");
  return dash === -1 ? indent(line) - 1 : dash;
}

/** The line without its comment and without what stands between quotes, and the quote that it leaves open. */
function plainPart(
  line: string,
  open: Above["quote"],
): { readonly quote: Above["quote"]; readonly text: string } {
  let quote = open;
  let text = "";
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? "";
    if (quote !== "") {
      if (quote === '"' && char === "\\") {
        i++;
      } else if (quote === "'" && char === "'" && line[i + 1] === "'") {
        i++;
      } else if (char === quote) {
        [quote, text] = ["", text + quote];
      }
    } else if (char === "#" && /(?:^|\s)$/.test(text)) {
      break;
    } else {
      if ((char === '"' || char === "'") && beginsValue(text)) {
        quote = char;
      }
      text += char;
    }
  }
  return { quote, text };
}

/**
 * Whether a value may begin behind this text: only there does a quote open one; within plain text it is a
 * letter like any other.
 */
function beginsValue(before: string): boolean {
  const word = /\S*$/.exec(before.trimEnd())?.[0] ?? "";
  if (word === "" || (/[[{,]$/.test(word) && /[[{]/.test(before))) {
    return true;
  }
  return /\s$/.test(before) && /:$|^[-?]$|^[!&]/.test(word);
}

import { OUTPUT_MARK } from "./line.ts";
import type { Positions, Refuse } from "./positions.ts";
import type { Output } from "../translation.ts";

/** A here-document that has begun or will at the next line end. */
interface HereDocument {
  readonly delimiter: string;
  /** `<<-`: leading tabs do not count. */
  readonly tabs: boolean;
  /** A quoted delimiter: nothing in the text means anything. */
  readonly quoted: boolean;
}

/** What is open: a single or double quote, a backquote, a bracket, an arithmetic expression. */
type Open = "'" | '"' | "`" | "(" | "((";

interface State {
  readonly open: readonly Open[];
  readonly comment: boolean;
  /** The logical line so far; undefined where ways through the tags differ. */
  readonly line: string | undefined;
  /** Where in the line here-documents are announced. */
  readonly announced: readonly number[];
  /** Here-documents whose text is being read, the current one first. */
  readonly documents: readonly HereDocument[];
  readonly escaped: boolean;
  /** Why nothing that follows can be judged. */
  readonly lost: string | undefined;
  readonly last: Output | undefined;
}

const START: State = {
  open: [],
  comment: false,
  line: "",
  announced: [],
  documents: [],
  escaped: false,
  lost: undefined,
  last: undefined,
};
const FIX = 'write it as an assignment on a line of its own, NAME={{ … | sh }}, and use "$NAME" elsewhere';
const MIXED_ANNOUNCEMENT = "a here-document begins on a line with template tags";
const ASSIGNMENT = /^[ \t]*(?:(?:export|readonly)[ \t]+)?[A-Za-z_][A-Za-z0-9_]*=$/;
const WORDS = /^[ \t]*set[ \t]+--[ \t]+$/;
const DELIMITER = /^<<(-?)[ \t]*(?:'([^'\n]+)'|"([^"\n\\$`]+)"|\\?([A-Za-z0-9_.-]+))(?=[\s;&|<>()]|$)/;

/**
 * POSIX shell, as far as needed to know that a line begins outside of quotes, here-documents, comments and
 * continued lines. Its limits: within `${…}` quotes count as elsewhere, so a quote inside of "${x:-"…"}"
 * closes the outer one; a `)` of a case pattern inside of $(…) closes it; backquotes are not looked into.
 * Each of these makes it refuse a good template, or is undone by the matching quote; $'…' of other shells,
 * which would mislead it, makes it refuse all that follows.
 */
export function shPositions(refuse: Refuse): Positions<State> {
  return {
    start: START,
    text(state, text) {
      let current = state;
      for (const char of text) {
        if (current.last !== undefined) {
          if (char !== "\n") {
            refuse(current.last, "something follows it on its line", FIX);
          }
          current = { ...current, last: undefined };
        }
        current = current.documents.length > 0 ? inDocument(current, char) : inCode(current, char);
      }
      return current;
    },
    output(state, output) {
      output.assigned = state.line !== undefined && ASSIGNMENT.test(state.line);
      const reason = whyNot(state);
      if (state.last !== undefined) {
        refuse(state.last, "another value follows it on its line", FIX);
      } else if (reason !== undefined) {
        refuse(output, reason, FIX);
      }
      const line = state.line === undefined ? undefined : state.line + OUTPUT_MARK;
      return { ...state, line, last: reason === undefined ? output : undefined };
    },
    meet(a, b) {
      const mode = ({ open, comment, announced, documents, escaped }: State): string =>
        JSON.stringify([open, comment, announced.length, documents, escaped]);
      if (mode(a) !== mode(b)) {
        return undefined;
      }
      const line = a.line === b.line ? a.line : undefined;
      const lost = line === undefined && a.announced.length > 0 ? MIXED_ANNOUNCEMENT : undefined;
      return { ...a, line, lost: a.lost ?? b.lost ?? lost, last: a.last ?? b.last };
    },
  };
}

function whyNot(state: State): string | undefined {
  if (state.lost !== undefined) {
    return state.lost;
  }
  if (state.documents.length > 0) {
    return `it is inside the here-document ${state.documents[0]?.delimiter ?? ""}`;
  }
  const inner = state.open.find((open) => open !== "(");
  if (inner !== undefined) {
    return `it is inside an open ${inner}`;
  }
  if (state.line === undefined || !(ASSIGNMENT.test(state.line) || WORDS.test(state.line))) {
    return "it is not the whole right side of an assignment, or the words of `set --`";
  }
  return undefined;
}

function inDocument(state: State, char: string): State {
  const [current, ...others] = state.documents;
  const line = state.line ?? "";
  if (char !== "\n") {
    return { ...state, line: line + char };
  }
  if (current?.quoted !== true && /(?<!\\)(?:\\\\)*\\$/.test(line)) {
    // The next line continues this one, so it cannot be judged where the here-document ends.
    return { ...state, line: "", lost: "a line of a here-document above ends with a backslash" };
  }
  const ended = (current?.tabs === true ? line.replace(/^\t+/, "") : line) === current?.delimiter;
  return { ...state, line: "", documents: ended ? others : state.documents };
}

function inCode(state: State, char: string): State {
  const line = state.line === undefined ? undefined : state.line + char;
  const next = { ...state, line };
  if (state.escaped) {
    // A backslash and a line end are removed before tokens are looked for (POSIX, Shell Command Language, 2.2.1).
    return char === "\n"
      ? { ...state, escaped: false, line: state.line?.slice(0, -1) }
      : { ...next, escaped: false };
  }
  const top = state.open.at(-1);
  const closed = (): State => ({ ...next, open: state.open.slice(0, -1) });
  const opened = (open: Open): State => ({ ...next, open: [...state.open, open] });
  const before = state.line?.at(-1) ?? "";
  if (state.comment) {
    return char === "\n" ? newLine(next) : next;
  }
  if (top === "'") {
    return char === "'" ? closed() : next;
  }
  if (char === "\\") {
    return { ...next, escaped: true };
  }
  if (char === "`") {
    return top === "`" ? closed() : opened("`");
  }
  if (top === "`") {
    return next;
  }
  if (top === '"') {
    if (char === '"') {
      return closed();
    }
    return char === "(" && before === "$" ? opened("(") : next;
  }
  switch (char) {
    case "'":
      return before === "$"
        ? { ...opened("'"), lost: "$'…' is above, which is not POSIX shell" }
        : opened("'");
    case '"':
      return opened('"');
    case "(":
      return before === "(" && top === "("
        ? { ...next, open: [...state.open.slice(0, -1), "(("] }
        : opened("(");
    case ")":
      return top === "(" || (top === "((" && before === ")") ? closed() : next;
    case "#":
      return top !== "((" && /^$|[\s;&|()]/.test(before) ? { ...next, comment: true } : next;
    case "<":
      return before === "<" && top !== "((" ? announce(next) : next;
    case "\n":
      return newLine(next);
    default:
      return next;
  }
}

/** `<<` announces a here-document; a third `<` makes it a here-string, which has none. */
function announce(state: State): State {
  if (state.line === undefined) {
    return { ...state, lost: MIXED_ANNOUNCEMENT };
  }
  if (state.line.endsWith("<<<")) {
    return { ...state, announced: state.announced.slice(0, -1) };
  }
  return { ...state, announced: [...state.announced, state.line.length - 2] };
}

/**
 * The state at the start of a line; within brackets that are still open it is a line of code like any other.
 */
function newLine(state: State): State {
  const documents: HereDocument[] = [];
  let lost = state.lost;
  for (const at of state.announced) {
    const match = DELIMITER.exec((state.line ?? "").slice(at));
    if (match === null) {
      lost ??= "a here-document with an unusual delimiter begins above";
    } else {
      documents.push({
        delimiter: match[2] ?? match[3] ?? match[4] ?? "",
        tabs: match[1] === "-",
        quoted: match[4] === undefined || match[0].includes("\\"),
      });
    }
  }
  return { ...state, comment: false, line: "", announced: [], documents, lost };
}

import type { Section, Scan } from "./entry.ts";
import type { SourceLocation, Problem } from "../problem/index.ts";
import { type ProblemKind, faults, problem } from "./faults.ts";
import { isReserved, isReservedName } from "./names.ts";
import { unquoted } from "./quoted.ts";
import { beginsPrivateKey, isSecret, secretIndex } from "./secrets.ts";

/** The most sections of a file: more than ten thousand cores with as many things. */
const MOST_SECTIONS = 25_000;
/** The longest value, in bytes of UTF-8 with its quotes. */
const LONGEST_VALUE = 4096;
/** After so many problems a file is no settings file, and reading on would only take time. */
const MOST_PROBLEMS = 10_000;

/**
 * Reads settings line by line, and refuses whatever a lenient reader of INI files would silently cut, merge,
 * nest or retype. Never throws; every line that it refuses is a problem.
 */
export function scan(text: string, file: string): Scan {
  const lines = text.split("\n");
  if (lines.length > 1 && lines.at(-1) === "") {
    lines.pop();
  }
  const scanner = new Scanner(file, hasUnwanted(text));
  for (const line of lines) {
    if (!scanner.line(line.endsWith("\r") ? line.slice(0, -1) : line)) {
      break;
    }
  }
  return {
    sections: scanner.sections,
    brokenHeader: scanner.brokenHeader,
    problems: scanner.problems,
    lines: lines.length,
  };
}

/** Whether any line has what no line may have: asked once of all, it is not asked of each. */
function hasUnwanted(text: string): boolean {
  return text.includes("\0") || /\r(?!\n|$)/.test(text) || secretIndex(text) >= 0;
}

class Scanner {
  readonly problems: Problem[] = [];
  readonly sections = new Map<string, Section>();
  brokenHeader = false;
  readonly #file: string;
  readonly #hasUnwanted: boolean;
  #line = 0;
  #current: Section | undefined;
  #insidePrivateKey = false;
  #foundStrayKey = false;

  constructor(file: string, unwanted: boolean) {
    this.#file = file;
    this.#hasUnwanted = unwanted;
  }

  /** Takes the next line; false where there is no sense in reading on. */
  line(text: string): boolean {
    this.#line++;
    const start = text.search(/[^ \t]/);
    if (start === -1) {
      return true;
    }
    const first = text[start];
    if (this.#hasUnwanted && (this.#isDamaged(text) || this.#isSecret(text))) {
      if (first === "[") {
        this.#loseHeader();
      }
    } else if (first === "[") {
      this.#header(text, start);
    } else if (first !== ";" && first !== "#") {
      this.#entry(text, start);
    }
    if (this.sections.size <= MOST_SECTIONS && this.problems.length < MOST_PROBLEMS) {
      return true;
    }
    this.#loseHeader();
    return false;
  }

  #place(index: number): SourceLocation {
    return { file: this.#file, line: this.#line, column: index + 1 };
  }

  #refuse(kind: ProblemKind, index: number, what: string, fix = kind.fix): void {
    this.problems.push(problem(kind, this.#place(index), what, { fix }));
    if (this.#current !== undefined) {
      this.#current.broken = true;
    }
  }

  /** What follows belongs to a section that nobody knows. */
  #loseHeader(): void {
    this.#current = undefined;
    this.brokenHeader = true;
  }

  #isDamaged(text: string): boolean {
    const nul = text.indexOf("\0");
    const cr = text.indexOf("\r");
    if (nul >= 0) {
      this.#refuse(faults.nul, nul, `NUL byte at column ${nul + 1}; file damaged?`);
    } else if (cr >= 0) {
      this.#refuse(faults.loneCr, cr, "line ends with CR only; save with LF");
      this.#loseHeader(); // what looks like one line may be many
    }
    return nul >= 0 || cr >= 0;
  }

  /** Also in comments, and for all the lines of a pasted private key: none of them may reach a message. */
  #isSecret(text: string): boolean {
    if (this.#insidePrivateKey) {
      const isHeader = /^[ \t]*\[/.test(text);
      this.#insidePrivateKey = !isHeader && !text.includes("-----END");
      if (!isHeader) {
        return true;
      }
    }
    const index = secretIndex(text);
    if (index === -1) {
      return false;
    }
    this.#refuseSecret(index);
    this.#insidePrivateKey = beginsPrivateKey(text) && !text.includes("-----END");
    return true;
  }

  #refuseSecret(index: number): void {
    this.#refuse(faults.secret, index, "looks like a secret; not stored here (value hidden)");
  }

  #header(text: string, start: number): void {
    const close = text.indexOf("]", start);
    const after = close === -1 ? "" : text.slice(close + 1).trim();
    const inside = text.slice(start + 1, close);
    const kind = /[^ \t]+/.exec(inside);
    const name = kind === null ? "" : trimmedStart(inside.slice(kind.index + kind[0].length));
    this.#current = undefined;
    if (close === -1) {
      this.#refuse(faults.openHeader, start, "section not closed with ]");
    } else if (after !== "" && !/^[;#]/.test(after)) {
      this.#refuse(faults.textAfterHeader, close + 1, "text after ]");
    } else if (kind === null) {
      this.#refuse(faults.emptyHeader, start, "section has no name");
    } else if (isReserved(kind[0]) || isReservedName(name)) {
      this.#refuse(faults.reserved, start, "reserved name");
    } else {
      return this.#open(kind[0], trimmed(name), start, close - name.length);
    }
    this.#loseHeader();
  }

  /** A section that stands twice goes on where it ended, so that the keys of both are checked. */
  #open(kind: string, name: string, start: number, nameStart: number): void {
    const title = name === "" ? kind : `${kind} ${name}`;
    const id = name === "" ? kind.toLowerCase() : `${kind.toLowerCase()} ${name}`;
    const first = this.sections.get(id);
    if (first === undefined) {
      this.#current = {
        title,
        kind,
        name,
        file: this.#file,
        line: this.#line,
        column: start + 1,
        nameColumn: nameStart + 1,
        entries: new Map(),
        broken: false,
      };
      this.sections.set(id, this.#current);
      if (this.sections.size > MOST_SECTIONS) {
        const limit = MOST_SECTIONS.toLocaleString("en-US");
        this.#refuse(faults.manySections, start, `too many sections; limit ${limit} sections`);
      }
      return;
    }
    this.#current = first;
    const { line } = first;
    if (first.kind !== kind) {
      this.#refuse(faults.onlyCase, start, `section differs only in case from line ${line}`);
    } else {
      this.#refuse(
        faults.again,
        start,
        `section again; first at line ${line}`,
        "move its keys up to the first one",
      );
    }
  }

  #entry(text: string, start: number): void {
    const end = text.trimEnd().length;
    const equals = text.indexOf("=", start);
    const key = text.slice(start, Math.max(equals, start)).trimEnd();
    const oneLine = "is not supported here; one line, one value";
    if (text[end - 1] === "\\") {
      this.#refuse(faults.continuation, end - 1, `\\ at the end ${oneLine}`);
    } else if (equals === -1) {
      this.#refuse(faults.noEquals, start, "no '='; did you mean `key = value`?");
    } else if (key === "") {
      this.#refuse(faults.noKey, start, "no key before '='");
    } else if (key.endsWith("]")) {
      this.#refuse(faults.array, start, `\`key[] =\` ${oneLine}`);
    } else if (isReserved(key)) {
      this.#refuse(faults.reserved, start, "reserved name");
    } else if (this.#current === undefined) {
      this.#strayKey(start);
    } else {
      this.#keyAndValue(this.#current, key, start, text, equals + 1);
    }
  }

  /** Told once; below a refused header the keys are not to blame. */
  #strayKey(start: number): void {
    if (this.brokenHeader || this.#foundStrayKey) {
      return;
    }
    this.#foundStrayKey = true;
    this.#refuse(faults.strayKey, start, "key before the first section");
  }

  #keyAndValue(section: Section, key: string, start: number, text: string, afterEquals: number): void {
    const rest = trimmedStart(text.slice(afterEquals));
    const raw = trimmed(rest);
    const valueStart = text.length - rest.length;
    const value = this.#value(raw, valueStart);
    if (value === undefined) {
      return;
    }
    const id = key.toLowerCase();
    const first = section.entries.get(id);
    if (first === undefined) {
      const valueColumn = raw === "" ? afterEquals : valueStart + 1;
      const position = { file: this.#file, line: this.#line, column: start + 1 };
      section.entries.set(id, { key, value, ...position, valueColumn });
    } else if (first.key === key) {
      this.#refuse(faults.again, start, `set twice; first at line ${first.line}`);
    } else {
      this.#refuse(faults.onlyCase, start, `key differs only in case from line ${first.line}`);
    }
  }

  /** The value without its quotes, or undefined where it was refused. */
  #value(raw: string, start: number): string | undefined {
    // A character has 3 bytes at most for each unit of its length (UTF-16).
    const bytes = raw.length * 3 <= LONGEST_VALUE ? 0 : Buffer.byteLength(raw);
    if (bytes > LONGEST_VALUE) {
      const [size, limit] = [bytes.toLocaleString("en-US"), LONGEST_VALUE.toLocaleString("en-US")];
      this.#refuse(faults.longValue, start, `value is ${size} bytes; limit ${limit}`);
      return undefined;
    }
    const meant = unquoted(raw);
    const comment = raw.startsWith('"') || raw.startsWith("'") ? -1 : raw.search(/[ \t][;#]/);
    if (comment >= 0) {
      const sign = raw[comment + 1]!;
      this.#refuse(faults.inlineComment, start + comment + 1, `${sign} behind a value is part of the value`);
    } else if ("fault" in meant) {
      this.#refuse(faults.quote, start, meant.fault, meant.fix);
    } else if (isSecret(meant.value)) {
      this.#refuseSecret(start);
    } else {
      return meant.value;
    }
    return undefined;
  }
}

// Only spaces and tabs: String.trim would take characters that must be refused. And by loops: the expression
// /[ \t]+$/ takes a time that grows with the square of a run of spaces.

function trimmedStart(text: string): string {
  let start = 0;
  while (text[start] === " " || text[start] === "\t") {
    start++;
  }
  return text.slice(start);
}

function trimmed(text: string): string {
  let end = text.length;
  while (text[end - 1] === " " || text[end - 1] === "\t") {
    end--;
  }
  return trimmedStart(text.slice(0, end));
}

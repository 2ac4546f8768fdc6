import type { Problem } from "../problem/index.ts";
import { didYouMean, shown } from "../problem/index.ts";
import type { Entry, Section } from "./entry.ts";
import { faults, problem, type ProblemKind } from "./faults.ts";
import { type NamedKind, rulesOf } from "./schema.ts";
import { question } from "./section-text.ts";
import { isSecret } from "./secrets.ts";

/** The most lines of an inventory. */
const MAX_ROWS = 100_000;
/** After so many problems a file is no inventory. */
const MAX_PROBLEMS = 1_000;

/** One cell, without its quotes, and where it begins. */
interface Cell {
  readonly text: string;
  readonly column: number;
}

export interface Inventory {
  readonly sections: readonly Section[];
  readonly problems: readonly Problem[];
}

/**
 * Reads the cores or things of an inventory: CSV (RFC 4180, one row one line), whose first line names the columns. One
 * column is `name`, the others are keys of `[core NAME]` or `[thing NAME]`; an empty cell leaves a key unset.
 */
export function readInventory(text: string, file: string, kind: NamedKind): Inventory {
  const problems: Problem[] = [];
  const refuse = (
    fault: ProblemKind,
    line: number,
    column: number,
    what: string,
    said: Partial<ProblemKind> = {},
  ): void => void problems.push(problem(fault, { file, line, column }, what, said));
  const lines = text.split("\n");
  const columns = readColumns(cellsOf(lines[0]!), kind, refuse);
  const nameAt = columns.indexOf("name");
  const sections: Section[] = [];
  for (let index = 1; columns.length > 0 && index < lines.length; index++) {
    const line = index + 1;
    const cells = cellsOf(lines[index]!);
    if (cells === undefined) {
      refuse(faults.quote, line, 1, "a quote is not closed, or text follows upon it");
    } else if (cells.length === 1 && cells[0]!.text === "") {
      continue;
    } else if (cells.length !== columns.length) {
      const what = `${cells.length} cells; the first line has ${columns.length} columns`;
      refuse(faults.cells, line, 1, what);
    } else {
      const { text: name, column: nameColumn } = cells[nameAt]!;
      const entries = new Map<string, Entry>();
      cells.forEach(({ text: value, column }, at) => {
        if (isSecret(value)) {
          refuse(faults.secret, line, column, "looks like a secret; not stored here (value hidden)");
        } else if (at !== nameAt && value !== "") {
          const key = columns[at]!;
          entries.set(key, { key, value, file, line, column, valueColumn: column });
        }
      });
      const title = `${kind} ${name}`;
      sections.push({ title, kind, name, file, line, column: 1, nameColumn, entries, broken: false });
    }
    if (sections.length > MAX_ROWS) {
      const limit = MAX_ROWS.toLocaleString("en-US");
      refuse(faults.manySections, line, 1, `too many rows; limit ${limit} rows`);
      break;
    }
    if (problems.length >= MAX_PROBLEMS) {
      break;
    }
  }
  return { sections, problems };
}

type Refuse = (
  fault: ProblemKind,
  line: number,
  column: number,
  what: string,
  said?: Partial<ProblemKind>,
) => void;

/** The keys that the columns stand for; none where the first line is no list of columns. */
function readColumns(cells: readonly Cell[] | undefined, kind: NamedKind, refuse: Refuse): string[] {
  const known = ["name", ...(rulesOf(kind)?.keys() ?? [])];
  const seen = new Set<string>();
  let isGood = true;
  for (const { text, column } of cells ?? []) {
    const word = text.split(/[\s;\t]/, 1)[0]!;
    if (!known.includes(text)) {
      const separator = /[;\t]/.exec(text)?.[0];
      const what =
        separator === undefined
          ? `unknown column ${shown(word)}${question(didYouMean(word, known))}`
          : "the columns are not separated by commas";
      refuse(faults.columns, 1, column, what, { fix: `columns are ${known.join(", ")}` });
    } else if (seen.has(text)) {
      refuse(faults.columns, 1, column, `the column ${text} is there twice`);
    } else {
      seen.add(text);
      continue;
    }
    isGood = false;
  }
  if (cells === undefined || (isGood && !seen.has("name"))) {
    refuse(faults.columns, 1, 1, "there is no column name");
    return [];
  }
  return isGood ? [...seen] : [];
}

/** The cells of a line; undefined where a quote is not closed or text follows upon it. */
function cellsOf(whole: string): Cell[] | undefined {
  const line = whole.endsWith("\r") ? whole.slice(0, -1) : whole;
  const cells: Cell[] = [];
  for (let at = 0; at <= line.length;) {
    let start = at;
    while (line[start] === " " || line[start] === "\t") {
      start++;
    }
    if (line[start] === '"') {
      const end = closingQuote(line, start + 1);
      const comma = line.indexOf(",", end);
      const next = comma === -1 ? line.length : comma;
      if (end === -1 || line.slice(end + 1, next).trim() !== "") {
        return undefined;
      }
      cells.push({ text: line.slice(start + 1, end).replaceAll('""', '"'), column: start + 1 });
      at = next + 1;
    } else {
      const comma = line.indexOf(",", at);
      const next = comma === -1 ? line.length : comma;
      const text = line.slice(start, next);
      if (text.includes('"')) {
        return undefined;
      }
      cells.push({ text: text.trimEnd(), column: Math.min(start, next) + 1 });
      at = next + 1;
    }
  }
  return cells;
}

/** Where the quote is that closes; a doubled one is part of the text. */
function closingQuote(line: string, from: number): number {
  for (let at = line.indexOf('"', from); at !== -1; at = line.indexOf('"', at + 2)) {
    if (line[at + 1] !== '"') {
      return at;
    }
  }
  return -1;
}

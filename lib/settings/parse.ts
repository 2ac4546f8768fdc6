import { type SourceLocation, type Problem, ProblemError } from "../problem/index.ts";
import { check } from "./check.ts";
import type { Entry, Scan, Section } from "./entry.ts";
import { faults, problem } from "./faults.ts";
import { type IniValues, iniValues } from "./ini.ts";
import { readInventory } from "./inventory.ts";
import type { SettingValue } from "./key-rules.ts";
import { scan } from "./scan.ts";
import { NAMED_KINDS } from "./schema.ts";
import { settingsText } from "./text.ts";
import { fileFault } from "./values.ts";

/** The checked content of a settings file. */
export interface SettingsFile {
  /** As it was given, for messages. */
  readonly file: string;
  /**
   * The effective value of a key such as "aws.region" or "core core-1.group", defaults included, if it has
   * one.
   */
  value: (key: string) => SettingValue | undefined;
  /**
   * Where the key stands; for a defaulted key, where its section begins; undefined for a key that settings do
   * not have.
   */
  locationOf: (key: string) => SourceLocation | undefined;
  /** The names of all cores or things, in the order of the file. */
  names: (kind: string) => readonly string[];
}

/** What settings are made of beside their first file. */
export interface OtherFiles {
  /** The settings of an environment, whose values count before those of the first file. */
  readonly overlay?: { readonly file: string; readonly bytes: Uint8Array };
  /** The content of a file of the project that the settings name, or why it cannot be had. */
  readonly read?: (name: string) => Uint8Array | { readonly fault: string };
}

/** The most problems that are listed; a last one says how many more there are. */
const MAX_LISTED = 100;

/**
 * Checks the bytes of a settings file, with the files that belong to it. `file` is its name in messages.
 * Throws ProblemError (exit code 2) with all problems, in the order of their files and lines.
 */
export function parseSettings(bytes: Uint8Array, file: string, others: OtherFiles = {}): SettingsFile {
  const problems: Problem[] = [];
  const parsed = new Map<string, IniValues>();
  const scanned = (part: Uint8Array, name: string): Scan => {
    const found = scan(settingsText(part, name), name);
    const values = iniValues(found.sections.values());
    parsed.set(name, values);
    problems.push(...found.problems, ...disagreements(found, values, name));
    return found;
  };
  const first = scanned(bytes, file);
  const { overlay } = others;
  const whole = overlay === undefined ? first : merged(first, scanned(overlay.bytes, overlay.file));
  const sections = new Map(whole.sections);
  for (const kind of NAMED_KINDS) {
    const entry = sections.get(`${kind}s`)?.entries.get("from");
    if (entry !== undefined && others.read !== undefined && fileFault(entry.value) === undefined) {
      problems.push(...addInventory(sections, entry, kind, others.read));
    }
  }
  const { problems: wrong, ...content } = check({ ...whole, sections }, parsed, file);
  const all = [...problems, ...wrong];
  if (all.length > 0) {
    throw new ProblemError(listed(all, file));
  }
  return { file, ...content };
}

/** Each key of the overlay counts before that of the first file; sections of both stay. */
function merged(first: Scan, over: Scan): Scan {
  const sections = new Map<string, Section>(first.sections);
  for (const [id, section] of over.sections) {
    const below = sections.get(id);
    sections.set(
      id,
      below === undefined
        ? section
        : {
            ...below,
            entries: new Map([...below.entries, ...section.entries]),
            broken: below.broken || section.broken,
          },
    );
  }
  return {
    sections,
    brokenHeader: first.brokenHeader || over.brokenHeader,
    problems: [],
    lines: first.lines,
  };
}

/** Adds a section for each row. A core that settings.ini has, too, is refused. */
function addInventory(
  sections: Map<string, Section>,
  { file, line, valueColumn, value }: Entry,
  kind: (typeof NAMED_KINDS)[number],
  read: NonNullable<OtherFiles["read"]>,
): Problem[] {
  const found = read(value);
  if ("fault" in found) {
    return [problem(faults.noInventory, { file, line, column: valueColumn }, found.fault)];
  }
  const inventory = readInventory(settingsText(found, value), value, kind);
  const problems = [...inventory.problems];
  for (const section of inventory.sections) {
    const other = sections.get(section.title);
    if (other === undefined) {
      sections.set(section.title, section);
    } else {
      const location = { file: value, line: section.line, column: section.nameColumn };
      const where = `${other.file}:${other.line}`;
      problems.push(problem(faults.twoPlaces, location, `[${section.title}] is also at ${where}`));
    }
  }
  return problems;
}

/**
 * Where the package ini, which gives the values, read something else than the scan, which knows their places.
 */
function disagreements({ sections }: Scan, parsed: IniValues, file: string): readonly Problem[] {
  const problems: Problem[] = [];
  let isMore = Object.keys(parsed).length > sections.size;
  for (const { title, entries } of sections.values()) {
    const read = parsed[title] ?? {};
    for (const { key, value, line, valueColumn } of entries.values()) {
      if (!Object.hasOwn(read, key) || String(read[key]) !== value) {
        problems.push(
          problem(faults.disagreement, { file, line, column: valueColumn }, "ini reads another value here"),
        );
      }
    }
    isMore ||= Object.keys(read).length > entries.size;
  }
  if (problems.length > 0 || !isMore) {
    return problems;
  }
  return [problem(faults.disagreement, { file, line: 1, column: 1 }, "ini reads more keys than there are")];
}

/** The first problems in the order of their lines, file by file, and how many there are beside them. */
function listed(problems: readonly Problem[], file: string): readonly Problem[] {
  const files = [...new Set([file, ...problems.map((one) => one.location?.file ?? file)])];
  const rank = (one: Problem): number => files.indexOf(one.location?.file ?? file);
  const line = (one: Problem): number => one.location?.line ?? 0;
  const column = (one: Problem): number => one.location?.column ?? 0;
  const sorted = problems.toSorted((a, b) => rank(a) - rank(b) || line(a) - line(b) || column(a) - column(b));
  const next = sorted[MAX_LISTED];
  if (next === undefined) {
    return sorted;
  }
  const count = (sorted.length - MAX_LISTED).toLocaleString("en-US");
  const more = problem(
    faults.more,
    next.location ?? { file, line: 1 },
    `${count} more problems from here on`,
  );
  return [...sorted.slice(0, MAX_LISTED), more];
}

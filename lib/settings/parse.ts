import { type SourceLocation, type Problem, ProblemError } from "../problem/index.ts";
import { check } from "./check.ts";
import { faults, problem } from "./faults.ts";
import { type IniValues, iniValues } from "./ini.ts";
import { scan } from "./scan.ts";
import type { Scan } from "./entry.ts";
import type { SettingValue } from "./key-rules.ts";
import { settingsText } from "./text.ts";

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

/** The most problems that are listed; a last one says how many more there are. */
const MAX_LISTED = 100;

/**
 * Checks the bytes of a settings file. `file` is its name in messages.
 * Throws ProblemError (exit code 2) with all problems, in the order of their lines.
 */
export function parseSettings(bytes: Uint8Array, file: string): SettingsFile {
  const scanned = scan(settingsText(bytes, file), file);
  const parsed = iniValues(scanned.sections.values());
  const { problems, ...content } = check(scanned, parsed, file);
  const all = [...scanned.problems, ...disagreements(scanned, parsed, file), ...problems];
  if (all.length > 0) {
    throw new ProblemError(listed(all, file));
  }
  return { file, ...content };
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

/** The first problems in the order of their lines, and how many there are beside them. */
function listed(problems: readonly Problem[], file: string): readonly Problem[] {
  const line = (one: Problem): number => one.location?.line ?? 0;
  const column = (one: Problem): number => one.location?.column ?? 0;
  const sorted = problems.toSorted((a, b) => line(a) - line(b) || column(a) - column(b));
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

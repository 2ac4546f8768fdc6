import { Checker } from "./checker.ts";
import { checkCombinations } from "./combinations.ts";
import type { SourceLocation, Problem } from "../problem/index.ts";
import type { IniValues } from "./ini.ts";
import type { Scan } from "./entry.ts";
import type { SettingValue } from "./key-rules.ts";

export interface Checked {
  readonly problems: readonly Problem[];
  /** The effective value of `title.key`, defaults included. */
  value: (key: string) => SettingValue | undefined;
  /** Where a key stands, or for a default where its section begins. */
  locationOf: (key: string) => SourceLocation | undefined;
  names: (kind: string) => readonly string[];
}

/** Holds the sections of a scan against the schema. `parsed`: the values of those from INI files, by file. */
export function check(scan: Scan, parsed: ReadonlyMap<string, IniValues>, file: string): Checked {
  const checker = new Checker(scan, parsed, file);
  for (const section of scan.sections.values()) {
    checker.section(section);
  }
  checker.missingSections();
  checker.names();
  checker.references();
  checkCombinations(checker);
  const names: Readonly<Record<string, readonly string[] | undefined>> = {
    core: checker.named("core"),
    thing: checker.named("thing"),
  };
  return {
    problems: checker.problems,
    value: (key) => checker.value(key),
    locationOf: (key) => checker.location(key),
    names: (kind) => names[kind] ?? [],
  };
}

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
  const names = new Map([
    ["core", checker.named("core")],
    ["thing", checker.named("thing")],
  ]);
  const groups = lazily(() =>
    groupLists(names.get("core")!, names.get("thing")!, (key) => checker.value(key)),
  );
  return {
    problems: checker.problems,
    value: (key) => checker.value(key),
    locationOf: (key) => checker.location(key),
    names: (kind) => names.get(kind) ?? groups().get(kind) ?? [],
  };
}

/** The names of the groups, and of the cores and things of each. */
function groupLists(
  cores: readonly string[],
  things: readonly string[],
  value: (key: string) => SettingValue | undefined,
): ReadonlyMap<string, readonly string[]> {
  const lists = new Map<string, string[]>([["group", []]]);
  const groupOf = new Map<string, string>();
  for (const core of cores) {
    const group = String(value(`core ${core}.group`));
    groupOf.set(core, group);
    const members = lists.get(`cores of group ${group}`);
    if (members === undefined) {
      lists.get("group")!.push(group);
      lists.set(`cores of group ${group}`, [core]);
      lists.set(`things of group ${group}`, []);
    } else {
      members.push(core);
    }
  }
  for (const thing of things) {
    lists.get(`things of group ${groupOf.get(String(value(`thing ${thing}.core`)))}`)?.push(thing);
  }
  for (const [kind, list] of lists) {
    if (kind.startsWith("things ")) {
      list.sort();
    }
  }
  return lists;
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

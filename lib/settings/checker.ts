import * as v from "valibot";
import { didYouMean, type SourceLocation, type Problem, shown } from "../problem/index.ts";
import { codePointText, firstHidden } from "./characters.ts";
import { exampleCommand } from "./example.ts";
import { type ProblemKind, faults, problem } from "./faults.ts";
import { nameFault } from "./names.ts";
import type { IniValues } from "./ini.ts";
import type { Entry, FilePosition, Scan, Section } from "./entry.ts";
import { isNamed, isOptional, KINDS, type NamedKind, rulesOf } from "./schema.ts";
import type { KeyRule, SettingValue } from "./key-rules.ts";
import { soundsSecret } from "./secrets.ts";
import { question, header, requiredKeys, takenFault } from "./section-text.ts";

/** What the schema makes of a text, or of no text. */
type ParsedValue = { readonly value: SettingValue | undefined } | { readonly fault: string };

export class Checker {
  readonly problems: Problem[] = [];
  readonly #scan: Scan;
  /** By file. */
  readonly #parsed: ReadonlyMap<string, IniValues>;
  readonly #file: string;
  /** Of the entries that are in order. */
  readonly #values = new Map<Entry, SettingValue>();
  /** Ten thousand cores have few values that differ: each is asked for once. */
  readonly #meanings = new Map<KeyRule, Map<string | undefined, ParsedValue>>();
  /** Sections that a misspelled header meant: they are not missing as well. */
  readonly #meant = new Set<string>();

  constructor(scan: Scan, parsed: ReadonlyMap<string, IniValues>, file: string) {
    this.#scan = scan;
    this.#parsed = parsed;
    this.#file = file;
  }

  value(id: string): SettingValue | undefined {
    const { kind, section, entry, rule } = this.#find(id);
    if (entry !== undefined) {
      return this.#values.get(entry);
    }
    if (rule === undefined || (section === undefined && (isNamed(kind) || !isOptional(kind)))) {
      return undefined;
    }
    const meant = this.#meaning(rule, undefined);
    const value = "value" in meant ? meant.value : undefined;
    return value === undefined && rule.inherits !== undefined ? this.value(rule.inherits) : value;
  }

  location(id: string): SourceLocation | undefined {
    const { section, entry, rule } = this.#find(id);
    return rule === undefined || section === undefined ? undefined : at(entry ?? section);
  }

  /** Where the value of a key stands, if it is written. */
  valueAt(id: string): SourceLocation | undefined {
    const { entry } = this.#find(id);
    return entry === undefined ? undefined : valueLocation(entry);
  }

  #find(id: string): {
    readonly kind: string;
    readonly section: Section | undefined;
    readonly entry: Entry | undefined;
    readonly rule: KeyRule | undefined;
  } {
    const dot = id.lastIndexOf(".");
    const [title, key] = [id.slice(0, dot), id.slice(dot + 1)];
    const blank = title.indexOf(" ");
    const kind = blank === -1 ? title : title.slice(0, blank);
    const section = this.#scan.sections.get(title);
    return { kind, section, entry: section?.entries.get(key), rule: rulesOf(kind)?.get(key) };
  }

  #meaning(rule: KeyRule, text: string | undefined): ParsedValue {
    let meanings = this.#meanings.get(rule);
    if (meanings === undefined) {
      this.#meanings.set(rule, (meanings = new Map<string | undefined, ParsedValue>()));
    }
    let meant = meanings.get(text);
    if (meant === undefined) {
      const result = v.safeParse(rule.schema, text, { abortPipeEarly: true });
      meanings.set(
        text,
        (meant = result.success ? { value: result.output } : { fault: result.issues[0].message }),
      );
    }
    return meant;
  }

  named(kind: NamedKind): readonly string[] {
    return [...this.#scan.sections.values()]
      .filter((section) => section.kind === kind)
      .map((section) => section.name);
  }

  refuse(kind: ProblemKind, location: SourceLocation, what: string, said: Partial<ProblemKind> = {}): void {
    this.problems.push(problem(kind, location, what, said));
  }

  section(section: Section): void {
    const { kind, name, entries } = section;
    const rules = rulesOf(kind);
    if (rules === undefined) {
      return this.#unknownSection(section);
    }
    if (!isNamed(kind) && name !== "") {
      this.refuse(faults.unexpectedName, this.#nameOf(section), `[${kind}] takes no name`, {
        fix: `write [${kind}]`,
      });
    }
    const meant = this.#unknownKeys(section, rules);
    for (const [key, rule] of rules) {
      const entry = entries.get(key);
      if (entry?.key === key) {
        this.#set(section, entry, rule);
      } else if (!section.broken && !meant.has(key)) {
        this.#unset(section, key, rule);
      }
    }
  }

  #nameOf({ file, line, nameColumn }: Section): SourceLocation {
    return { file, line, column: nameColumn };
  }

  #unknownSection(section: Section): void {
    const meant = didYouMean(section.kind, KINDS);
    if (meant !== undefined) {
      this.#meant.add(meant);
    }
    const what = `unknown section ${shown(section.kind)}${question(meant)}`;
    this.refuse(faults.unknownSection, at(section), what, {
      fix: `sections are ${KINDS.map(header).join(", ")}`,
    });
  }

  /** Refuses the keys that the section does not have; gives the ones that were meant. */
  #unknownKeys(section: Section, rules: ReadonlyMap<string, KeyRule>): ReadonlySet<string> {
    const found = new Set<string>();
    for (const entry of section.entries.values()) {
      const { key } = entry;
      if (rules.has(key)) {
        continue;
      }
      const word = key.split(/[\s:;,'"]/, 1)[0] ?? ""; // what follows may be a value that missed its '='
      const meant = didYouMean(word, rules.keys());
      if (meant !== undefined) {
        found.add(meant);
      }
      const what = `unknown key ${shown(word)}${question(meant)}`;
      const fix = `keys of [${section.kind}] are ${[...rules.keys()].join(", ")}`;
      if (soundsSecret(word)) {
        this.refuse(faults.secretKey, at(entry), what);
      } else {
        this.refuse(faults.unknownKey, at(entry), what, { fix });
      }
    }
    return found;
  }

  #set(section: Section, entry: Entry, rule: KeyRule): void {
    const values = this.#parsed.get(entry.file);
    const text = values === undefined ? entry.value : String(values[section.title]?.[entry.key]);
    const meant = this.#meaning(rule, text);
    const location = (): SourceLocation => valueLocation(entry);
    if ("fault" in meant) {
      return this.refuse(faults.value, location(), meant.fault, { why: rule.why, fix: rule.fix });
    }
    const hidden = firstHidden(text);
    if (hidden !== undefined) {
      this.refuse(faults.hidden, location(), `value has ${codePointText(hidden.char)}; one line, one value`);
    } else if (meant.value !== undefined) {
      this.#values.set(entry, meant.value);
    }
  }

  #unset(section: Section, key: string, rule: KeyRule): void {
    const meant = this.#meaning(rule, undefined);
    if ("value" in meant) {
      return;
    }
    this.refuse(faults.noKeySet, at(section), `[${section.title}] has no ${key}`, {
      why: rule.why,
      fix: `add it: ${rule.fix}`,
    });
  }

  /** Sections that must be there and are not; unless a header was refused, which may be the missing one. */
  missingSections(): void {
    const { sections, brokenHeader, lines } = this.#scan;
    if (brokenHeader) {
      return;
    }
    const there = new Set(this.#meant);
    for (const { kind } of sections.values()) {
      there.add(kind);
    }
    const missing = KINDS.filter((kind) => !isOptional(kind) && !there.has(kind));
    const location = { file: this.#file, line: lines, column: 1 };
    if (sections.size === 0) {
      const what = `the file has no sections; required are ${missing.map(header).join(", ")}`;
      this.refuse(faults.noSection, location, what, {
        fix: `add the least that is needed with: ${exampleCommand(this.#file)}`,
      });
      return;
    }
    for (const kind of missing) {
      const what = `no ${header(kind)}${isNamed(kind) ? "; at least one is needed" : ""}`;
      const fix = isNamed(kind) ? "add e.g. [core core-1]" : `add [${kind}] with ${requiredKeys(kind)}`;
      this.refuse(faults.noSection, location, what, { fix });
    }
  }

  /** Cores and things share one registry and one disk: their names must differ by more than case. */
  names(): void {
    const first = new Map<string, Section>();
    for (const section of this.#scan.sections.values()) {
      const { kind, name } = section;
      if (!isNamed(kind)) {
        continue;
      }
      const wrong = takenFault(kind, name) ?? nameFault(`${kind} name`, name);
      const other = first.get(name.toLowerCase());
      const fix = `${faults.name.fix}, e.g. [${kind} ${kind}-1]`;
      if (wrong !== undefined) {
        this.refuse(faults.name, this.#nameOf(section), wrong, { fix });
      } else if (other === undefined) {
        first.set(name.toLowerCase(), section);
      } else {
        const where = other.file === section.file ? "line " : `${other.file}:`;
        this.refuse(
          faults.sameName,
          this.#nameOf(section),
          `same name as ${where}${other.line} ignoring case`,
        );
      }
    }
  }

  /** The core of each thing must be there. */
  references(): void {
    const cores = new Set<SettingValue>(this.named("core"));
    for (const { kind, entries } of this.#scan.sections.values()) {
      if (kind !== "thing") {
        continue;
      }
      const entry = entries.get("core");
      const core = entry === undefined ? undefined : this.#values.get(entry);
      if (entry === undefined || core === undefined || cores.has(core)) {
        continue;
      }
      // among very many names that are alike, the nearest one is no hint
      const meant = cores.size > 200 ? undefined : didYouMean(String(core), this.named("core"));
      const fix = `add [core ${core}], or name one that is there`;
      this.refuse(faults.noSuchCore, valueLocation(entry), `no [core ${core}]${question(meant)}`, { fix });
    }
  }
}

function at({ file, line, column }: FilePosition): SourceLocation {
  return { file, line, column };
}

function valueLocation({ file, line, valueColumn }: Entry): SourceLocation {
  return { file, line, column: valueColumn };
}

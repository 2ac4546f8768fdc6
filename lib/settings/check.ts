import * as v from "valibot";
import { nucleusSha256 } from "../device/nucleus.ts";
import { didYouMean, type Place, type Problem, ProblemError, shown } from "../engine/problem.ts";
import { codePointText, firstHidden } from "./characters.ts";
import { exampleCommand } from "./example.ts";
import { type Fault, faults, problem } from "./faults.ts";
import { nameFault } from "./names.ts";
import type { Entry, Scan, Section } from "./scan.ts";
import { isNamed, isOptional, type KeyRule, KINDS, type NamedKind, rulesOf, type SettingValue } from "./schema.ts";
import { soundsSecret } from "./secrets.ts";

export interface Checked {
  readonly problems: readonly Problem[];
  /** Effective values by `title.key`, defaults included. */
  readonly values: ReadonlyMap<string, SettingValue>;
  /** Where a key stands, or for a default where its section begins. */
  readonly places: ReadonlyMap<string, Place>;
  readonly names: Readonly<Record<NamedKind, readonly string[]>>;
}

/** Holds the sections of a scan against the schema. `parsed`: their values by `title.key`. */
export function check(scan: Scan, parsed: ReadonlyMap<string, string>, file: string): Checked {
  const checker = new Checker(scan, parsed);
  for (const section of scan.sections) checker.section(section);
  checker.missingSections(file);
  checker.absentSections();
  checker.names();
  checker.references();
  checker.inherited();
  checker.nucleus();
  checker.remoteState();
  const { problems, values, places } = checker;
  return { problems, values, places, names: { core: checker.named("core"), thing: checker.named("thing") } };
}

class Checker {
  readonly problems: Problem[] = [];
  readonly values = new Map<string, SettingValue>();
  readonly places = new Map<string, Place>();
  readonly #scan: Scan;
  readonly #parsed: ReadonlyMap<string, string>;
  /** Sections that a misspelled header meant: they are not missing as well. */
  readonly #meant = new Set<string>();

  constructor(scan: Scan, parsed: ReadonlyMap<string, string>) {
    this.#scan = scan;
    this.#parsed = parsed;
  }

  named(kind: NamedKind): readonly string[] {
    return this.#scan.sections.filter((section) => section.kind === kind).map((section) => section.name);
  }

  #refuse(kind: Fault, place: Place, what: string, said: Partial<Fault> = {}): void {
    this.problems.push(problem(kind, place, what, said));
  }

  section(section: Section): void {
    const { kind, name, namePlace } = section;
    const rules = rulesOf(kind);
    if (rules === undefined) return this.#unknownSection(section);
    if (!isNamed(kind) && name !== "") {
      this.#refuse(faults.unexpectedName, namePlace, `[${kind}] takes no name`, { fix: `write [${kind}]` });
    }
    const meant = this.#unknownKeys(section, rules);
    const entries = new Map(section.entries.map((entry) => [entry.key, entry]));
    for (const [key, rule] of rules) {
      const entry = entries.get(key);
      if (entry !== undefined) this.#set(section, entry, rule);
      else if (!section.broken && !meant.has(key)) this.#unset(section, key, rule);
    }
  }

  #unknownSection(section: Section): void {
    const meant = didYouMean(section.kind, KINDS);
    if (meant !== undefined) this.#meant.add(meant);
    const what = `unknown section ${shown(section.kind)}${question(meant)}`;
    this.#refuse(faults.unknownSection, section.place, what, { fix: `sections are ${KINDS.map(header).join(", ")}` });
  }

  /** Refuses the keys that the section does not have; gives the ones that were meant. */
  #unknownKeys(section: Section, rules: ReadonlyMap<string, KeyRule>): ReadonlySet<string> {
    const found = new Set<string>();
    for (const { key, place } of section.entries) {
      if (rules.has(key)) continue;
      const word = key.split(/[\s:;,'"]/, 1)[0] ?? ""; // what follows may be a value that missed its '='
      const meant = didYouMean(word, rules.keys());
      if (meant !== undefined) found.add(meant);
      const what = `unknown key ${shown(word)}${question(meant)}`;
      const fix = `keys of [${section.kind}] are ${[...rules.keys()].join(", ")}`;
      if (soundsSecret(word)) this.#refuse(faults.secretKey, place, what);
      else this.#refuse(faults.unknownKey, place, what, { fix });
    }
    return found;
  }

  #set(section: Section, entry: Entry, rule: KeyRule): void {
    const id = `${section.title}.${entry.key}`;
    const text = this.#parsed.get(id);
    const result = v.safeParse(rule.schema, text, { abortPipeEarly: true });
    const hidden = firstHidden(text ?? "");
    this.places.set(id, entry.place);
    if (!result.success) {
      this.#refuse(faults.value, entry.valuePlace, result.issues[0].message, { why: rule.why, fix: rule.fix });
    } else if (hidden !== undefined) {
      this.#refuse(faults.hidden, entry.valuePlace, `value has ${codePointText(hidden.char)}; one line, one value`);
    } else if (result.output !== undefined) {
      this.values.set(id, result.output);
    }
  }

  #unset(section: Section, key: string, rule: KeyRule): void {
    const id = `${section.title}.${key}`;
    const result = v.safeParse(rule.schema, undefined);
    this.places.set(id, section.place);
    if (!result.success) {
      const what = `[${section.title}] has no ${key}`;
      this.#refuse(faults.noKeySet, section.place, what, { why: rule.why, fix: `add it: ${rule.fix}` });
    } else if (result.output !== undefined) {
      this.values.set(id, result.output);
    }
  }

  /** Sections that must be there and are not; unless a header was refused, which may be the missing one. */
  missingSections(file: string): void {
    const { sections, brokenHeader, lines } = this.#scan;
    if (brokenHeader) return;
    const there = new Set([...sections.map((section) => section.kind), ...this.#meant]);
    const missing = KINDS.filter((kind) => !isOptional(kind) && !there.has(kind));
    const place: Place = { file, line: lines, column: 1 };
    if (sections.length === 0) {
      const what = `the file has no sections; required are ${missing.map(header).join(", ")}`;
      this.#refuse(faults.noSection, place, what, { fix: `add the least that is needed with: ${exampleCommand(file)}` });
      return;
    }
    for (const kind of missing) {
      const what = `no ${header(kind)}${isNamed(kind) ? "; at least one is needed" : ""}`;
      const fix = isNamed(kind) ? "add e.g. [core core-1]" : `add [${kind}] with ${requiredKeys(kind)}`;
      this.#refuse(faults.noSection, place, what, { fix });
    }
  }

  /** The defaults of sections that settings do without. */
  absentSections(): void {
    const there = new Set(this.#scan.sections.map((section) => section.kind));
    for (const kind of KINDS) {
      if (isNamed(kind) || !isOptional(kind) || there.has(kind)) continue;
      for (const [key, rule] of rulesOf(kind) ?? []) {
        const result = v.safeParse(rule.schema, undefined);
        if (result.success && result.output !== undefined) this.values.set(`${kind}.${key}`, result.output);
      }
    }
  }

  /** A state in S3 needs a bucket, and somebody who has one: the sandbox has no S3. */
  remoteState(): void {
    const place = this.places.get("terraform.backend");
    if (place === undefined || this.values.get("terraform.backend") !== "s3") return;
    if (!this.values.has("terraform.bucket")) {
      this.#refuse(faults.noKeySet, place, "backend = s3 without a bucket", { why: "the state must lie somewhere", fix: "add it: e.g. bucket = acme-dospesos-state" });
    }
    if (this.values.get("aws.account") === "sandbox" && (this.values.get("terraform.endpoint") ?? "") === "") {
      this.#refuse(faults.value, place, "the sandbox has no S3", { why: "its state can lie in another S3 only", fix: "backend = local, or add endpoint, the URL of an S3" });
    }
  }

  /** Cores and things share one registry and one disk: their names must differ by more than case. */
  names(): void {
    const first = new Map<string, Section>();
    for (const section of this.#scan.sections) {
      const { kind, name, namePlace } = section;
      if (!isNamed(kind)) continue;
      const wrong = takenFault(kind, name) ?? nameFault(`${kind} name`, name);
      const other = first.get(name.toLowerCase());
      const fix = `${faults.name.fix}, e.g. [${kind} ${kind}-1]`;
      if (wrong !== undefined) this.#refuse(faults.name, namePlace, wrong, { fix });
      else if (other === undefined) first.set(name.toLowerCase(), section);
      else this.#refuse(faults.sameName, namePlace, `same name as line ${other.place.line} ignoring case`);
    }
  }

  /** The core of each thing must be there. */
  references(): void {
    const cores = new Set<SettingValue>(this.named("core"));
    for (const { kind, title, entries } of this.#scan.sections) {
      if (kind !== "thing") continue;
      const entry = entries.find(({ key }) => key === "core");
      const core = this.values.get(`${title}.core`);
      if (entry === undefined || core === undefined || cores.has(core)) continue;
      // among very many names that are alike, the nearest one is no hint
      const meant = cores.size > 200 ? undefined : didYouMean(String(core), this.named("core"));
      const fix = `add [core ${core}], or name one that is there`;
      this.#refuse(faults.noSuchCore, entry.valuePlace, `no [core ${core}]${question(meant)}`, { fix });
    }
  }

  /** The nucleus must be one whose digest is known: a device runs it as root. */
  nucleus(): void {
    const [version, sha256] = [this.values.get("greengrass.version"), this.values.get("greengrass.sha256")];
    if (version === undefined) return;
    const place = this.places.get(sha256 === undefined ? "greengrass.version" : "greengrass.sha256");
    try {
      nucleusSha256(String(version), sha256 === undefined ? undefined : String(sha256), place);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      this.problems.push(...error.problems);
    }
  }

  /** Gives keys that are not set the value of the key that they inherit from. */
  inherited(): void {
    for (const { kind, title } of this.#scan.sections) {
      for (const [key, rule] of rulesOf(kind) ?? []) {
        const value = rule.inherits === undefined ? undefined : this.values.get(rule.inherits);
        if (value !== undefined && !this.values.has(`${title}.${key}`)) this.values.set(`${title}.${key}`, value);
      }
    }
  }
}

function question(meant: string | undefined): string {
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}

function header(kind: string): string {
  return isNamed(kind) ? `[${kind} NAME]` : `[${kind}]`;
}

function requiredKeys(kind: string): string {
  return [...rulesOf(kind) ?? []].filter(([, rule]) => !v.is(rule.schema, undefined)).map(([key]) => key).join(", ");
}

/** Names that stand for something else in the project or in AWS. */
function takenFault(kind: string, name: string): string | undefined {
  // edge/out/things, deployments and components stand beside one folder for each core
  if (kind === "core" && ["things", "deployments", "components"].includes(name.toLowerCase())) return `core name ${shown(name)} is a reserved name`;
  // the thing CORE-gci is Greengrass' own: its shadow tells the core of new connectivity information
  return /-gci$/i.test(name) ? `${kind} name ${shown(name)} ends in -gci, which Greengrass uses for a thing of its own` : undefined;
}

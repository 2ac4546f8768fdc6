import * as v from "valibot";

/** A value as it is read: who changes one asks the table for a draft. */
export type Frozen<T> = T extends (infer U)[]
  ? readonly Frozen<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

interface Entry<T> {
  /** Its JSON as it is on disk; undefined until it was written. */
  text: string | undefined;
  /** Parsed when it is first read: most of a large account is not, in one run. */
  value: T | undefined;
}

/** A record to write: its key, its JSON or undefined where it is gone, and how long its JSON was before. */
export type Change = readonly [key: string, text: string | undefined, before: number];

/**
 * Records by key, in the order in which they came, which knows what changed since it was asked last. What `get` and
 * `values` give is not changed in place: `change` gives a draft of it.
 */
export class Table<T> {
  readonly name: string;
  readonly #schema: v.GenericSchema<unknown, T>;
  readonly #entries = new Map<string, Entry<T>>();
  /** What changed, with how long its JSON was before. */
  readonly #changed = new Map<string, number>();

  constructor(name: string, schema: v.GenericSchema<unknown, T>) {
    this.name = name;
    this.#schema = schema;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get(key: string): Frozen<T> | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined ? undefined : (this.#valueOf(entry) as Frozen<T>);
  }

  /** The record to change in place, before anything else is awaited. Throws where there is none. */
  change(key: string): T {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      throw new Error(`${this.name} has no ${key}`);
    }
    this.#note(key);
    return this.#valueOf(entry);
  }

  set(key: string, value: Frozen<T>): void {
    this.#note(key);
    this.#entries.set(key, { text: this.#entries.get(key)?.text, value: value as T });
  }

  delete(key: string): boolean {
    if (!this.#entries.has(key)) {
      return false;
    }
    this.#note(key);
    return this.#entries.delete(key);
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  *values(): IterableIterator<Frozen<T>> {
    for (const entry of this.#entries.values()) {
      yield this.#valueOf(entry) as Frozen<T>;
    }
  }

  /** A record as it was written. */
  load(key: string, text: string): void {
    this.#entries.set(key, { text, value: undefined });
  }

  /** A record that was written to be gone. */
  forget(key: string): void {
    this.#entries.delete(key);
  }

  /** What changed since this was called last, as it is to be written. */
  takeChanges(): Change[] {
    const changes: Change[] = [];
    for (const [key, before] of this.#changed) {
      const entry = this.#entries.get(key);
      const text = entry === undefined ? undefined : JSON.stringify(entry.value);
      if (entry === undefined) {
        changes.push([key, undefined, before]);
      } else if (text !== entry.text) {
        entry.text = text;
        changes.push([key, text, before]);
      }
    }
    this.#changed.clear();
    return changes;
  }

  /** Every record as it is written. */
  *entries(): IterableIterator<[key: string, text: string]> {
    for (const [key, { text, value }] of this.#entries) {
      yield [key, text ?? JSON.stringify(value)];
    }
  }

  /** The key of a record that is none of this table's, or undefined. */
  checkAll(): string | undefined {
    for (const [key, entry] of this.#entries) {
      try {
        this.#valueOf(entry);
      } catch {
        return key;
      }
    }
    return undefined;
  }

  #note(key: string): void {
    if (!this.#changed.has(key)) {
      this.#changed.set(key, this.#entries.get(key)?.text?.length ?? 0);
    }
  }

  #valueOf(entry: Entry<T>): T {
    return (entry.value ??= v.parse(this.#schema, JSON.parse(entry.text ?? "null")));
  }
}

/** Which left ones are related to which right ones: records by pair. No left one has a slash in its name. */
export class Relation<T> extends Table<T> {
  #sides: { readonly left: Side; readonly right: Side } | undefined;

  hasPair(left: string, right: string): boolean {
    return this.has(pairKey(left, right));
  }

  getPair(left: string, right: string): Frozen<T> | undefined {
    return this.get(pairKey(left, right));
  }

  changePair(left: string, right: string): T {
    return this.change(pairKey(left, right));
  }

  setPair(left: string, right: string, value: Frozen<T>): void {
    super.set(pairKey(left, right), value);
    this.#add(left, right);
  }

  deletePair(left: string, right: string): boolean {
    this.#sides?.left.get(left)?.delete(right);
    this.#sides?.right.get(right)?.delete(left);
    return super.delete(pairKey(left, right));
  }

  /** The right ones of a left one. */
  rightOf(left: string): string[] {
    return [...(this.#indexed().left.get(left) ?? [])];
  }

  /** The left ones of a right one. */
  leftOf(right: string): string[] {
    return [...(this.#indexed().right.get(right) ?? [])];
  }

  /** Removes all pairs of a left one, or of a right one. */
  deleteAll({ left, right }: { readonly left?: string; readonly right?: string }): void {
    for (const one of left === undefined ? [] : this.rightOf(left)) {
      this.deletePair(left!, one);
    }
    for (const one of right === undefined ? [] : this.leftOf(right)) {
      this.deletePair(one, right!);
    }
  }

  #indexed(): { readonly left: Side; readonly right: Side } {
    if (this.#sides === undefined) {
      this.#sides = { left: new Map(), right: new Map() };
      for (const key of this.keys()) {
        this.#add(...pairOf(key));
      }
    }
    return this.#sides;
  }

  #add(left: string, right: string): void {
    if (this.#sides !== undefined) {
      add(this.#sides.left, left, right);
      add(this.#sides.right, right, left);
    }
  }
}

type Side = Map<string, Set<string>>;

function add(side: Side, one: string, other: string): void {
  const found = side.get(one);
  if (found === undefined) {
    side.set(one, new Set([other]));
  } else {
    found.add(other);
  }
}

function pairKey(left: string, right: string): string {
  return `${left}/${right}`;
}

/** The two names of a pair's key. */
export function pairOf(key: string): [left: string, right: string] {
  const slash = key.indexOf("/");
  return [key.slice(0, slash), key.slice(slash + 1)];
}

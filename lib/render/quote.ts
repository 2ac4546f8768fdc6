/** Why a value cannot be written; the message is the end of a sentence that begins with the value's name. */
export class UnquotableValue extends Error {
  readonly fix: string;
  constructor(message: string, fix: string) {
    super(message);
    this.fix = fix;
  }
}

/** The text of a string, a finite number or a boolean. Throws Unwritable for everything else. */
export function scalarText(value: unknown): string {
  if (typeof value === "string") {
    return value;
  }
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) {
    return String(value);
  }
  throw new UnquotableValue(
    `is ${kindOf(value)}, not text, a number or a boolean`,
    "pass one of these from the rule",
  );
}

/**
 * A value as one word of a POSIX shell; a list as its words, separated by spaces. Throws Unwritable for NUL
 * and for half surrogate pairs, which a UTF-8 script cannot hold. Nothing has a meaning between single quotes
 * but the closing one (POSIX.1-2024, Shell Command Language, 2.2.2).
 */
export function sh(value: unknown): string {
  if (Array.isArray(value)) {
    return value.map(shWord).join(" ");
  }
  return shWord(value);
}

function shWord(value: unknown): string {
  const text = scalarText(value);
  if (text.includes("\0")) {
    throw new UnquotableValue("has a NUL character, which no shell word can hold", "remove it");
  }
  if (/\p{Surrogate}/u.test(text)) {
    throw new UnquotableValue("has half a surrogate pair, which is not Unicode text", "remove it");
  }
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * What JSON leaves as it is, but YAML 1.1 does not take for printable or readers of INI files take for line
 * ends, or no person sees.
 */
const ESCAPED = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/g;

/**
 * Text between double quotes with JSON's escapes (RFC 8259, 7), which YAML 1.1 and 1.2 and our INI reader
 * share.
 */
function doubleQuoted(text: string): string {
  return JSON.stringify(text).replace(
    ESCAPED,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const MAX_DEPTH = 64;
/** YAML wants a key without `?` to end within 1024 characters (YAML 1.2.2, 7.4.2). */
const MAX_KEY = 1000;

/**
 * A value on one line that is JSON and YAML 1.1 and 1.2 at once. Lists and plain objects are walked by index
 * and key only, so that an object that watches its reads sees nothing but these. Throws Unwritable for
 * undefined, functions, dates and the like.
 */
export function flow(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) {
    throw new UnquotableValue(
      `is nested deeper than ${MAX_DEPTH} levels, or holds itself`,
      "pass a flatter value",
    );
  }
  if (value === null) {
    return "null";
  }
  if (typeof value === "string") {
    return doubleQuoted(value);
  }
  // YAML 1.1 takes 1e+21 for text, because its floats need a point
  if (typeof value === "number") {
    return scalarText(value).replace(/^(-?\d+)e/, "$1.0e");
  }
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item) => flow(item, depth + 1)).join(", ")}]`;
  }
  if (isRecord(value)) {
    const members = Object.keys(value).map((key) => `${flowKey(key)}: ${flow(value[key], depth + 1)}`);
    return `{${members.join(", ")}}`;
  }
  return scalarText(value);
}

function flowKey(key: string): string {
  const quoted = doubleQuoted(key);
  if (quoted.length > MAX_KEY) {
    throw new UnquotableValue(`has a key of more than ${MAX_KEY} characters`, "shorten the key");
  }
  return quoted;
}

/**
 * A value of an INI file that the settings reader and the package ini read back equal. Plain words stand
 * bare, so that readers that know no quotes take them too. Throws Unwritable for line ends.
 */
export function ini(value: unknown): string {
  const text = scalarText(value);
  if (/[\r\n]/.test(text)) {
    throw new UnquotableValue("has a line end, and an INI value is one line", "remove it");
  }
  return /^[A-Za-z0-9_./:@-]+$/.test(text) ? text : doubleQuoted(text);
}

/**
 * An object with string keys and no behaviour: made by {}, JSON.parse, Object.create(null), or a proxy of
 * one.
 */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return false;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** A word for the type of a value in a message. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) {
    return String(value);
  }
  if (typeof value === "string") {
    return "text";
  }
  if (Array.isArray(value)) {
    return "a list";
  }
  if (typeof value === "number") {
    return Number.isFinite(value) ? "a number" : "not a finite number";
  }
  return isRecord(value) ? "an object" : `a ${typeof value === "object" ? "special object" : typeof value}`;
}

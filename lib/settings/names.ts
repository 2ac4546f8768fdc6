import { shown } from "../problem/index.ts";
import { codePointText, firstHidden } from "./characters.ts";

/**
 * AWS allows 128 (IoT API, CreateThing); but a policy with exact names in it has 2,048 characters at most
 * (CreatePolicy).
 */
const MAX_LENGTH = 64;

/** Words that mean something else as a property of an object. */
const RESERVED_IN_JAVASCRIPT: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  "prototype",
]);

/** Device names, which Windows opens instead of a file (Microsoft, "Naming Files, Paths, and Namespaces"). */
const RESERVED_ON_WINDOWS = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$/i;

/** What a device must not be called either: these lead from an object to what all objects share. */
const LEAD_TO_PROTOTYPES: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Whether any part of a dotted or spaced key or kind of section would reach into JavaScript's own objects. */
export function isReserved(name: string): boolean {
  return hasWord(name, RESERVED_IN_JAVASCRIPT);
}

/** The same for a device's name. Names such as toString are allowed: only these three lead anywhere. */
export function isReservedName(name: string): boolean {
  return hasWord(name, LEAD_TO_PROTOTYPES);
}

function hasWord(name: string, words: ReadonlySet<string>): boolean {
  return /[.\s]/.test(name) ? name.split(/[.\s]/).some((word) => words.has(word)) : words.has(name);
}

/**
 * Why a name breaks the name rule `^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`, or undefined. `label` says whose name
 * it is.
 */
export function nameFault(label: string, name: string): string | undefined {
  if (name.trim() === "") {
    return `${label} is empty`;
  }
  const fault = shapeFault(name);
  return fault === undefined ? undefined : `${label} ${shown(name)}${fault}`;
}

/** The fault as the rest of a sentence that begins with the name. */
function shapeFault(name: string): string | undefined {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(name)) {
    if (isReservedName(name)) {
      return " is a reserved name";
    }
    return RESERVED_ON_WINDOWS.test(name) ? " is a reserved name on Windows" : undefined;
  }
  const blank = name.search(/[ \t]/);
  if (blank >= 0) {
    return ` has a ${name[blank] === " " ? "space" : "tab"} at column ${blank + 1} of the name`;
  }
  const hidden = firstHidden(name);
  if (hidden !== undefined) {
    return ` has ${codePointText(hidden.char)}`;
  }
  const foreign = [...name].find((char) => char > "~");
  if (foreign !== undefined) {
    return ` has '${foreign}': ${codePointText(foreign)}; ASCII only`;
  }
  const slash = name.match(/[/\\]/)?.[0];
  if (slash !== undefined) {
    return `: '${slash}' not allowed`;
  }
  if (name.includes(":")) {
    return ": ':' breaks scp paths, policy names and Windows files";
  }
  const wildcard = name.match(/[*?+#$]/)?.[0];
  if (wildcard !== undefined) {
    return `: '${wildcard}' is a wildcard in IoT policies or topics`;
  }
  if (/^[._-]/.test(name)) {
    return ` starts with '${name[0]}'`;
  }
  const other = name.match(/[^A-Za-z0-9_-]/)?.[0];
  if (other !== undefined) {
    return `: '${other}' not allowed`;
  }
  return ` has ${name.length} characters; limit ${MAX_LENGTH} (IoT policy size limit)`;
}

import { visible } from "../problem/index.ts";
import type { Language } from "./language.ts";
import { flow, ini, kindOf, scalarText, sh, UnquotableValue } from "./quote.ts";

/**
 * The filter that an output needs as its last one, by the template's language. Text is for people and needs
 * none.
 */
export const QUOTING: Readonly<Record<Exclude<Language, "text">, (value: unknown) => string>> = {
  sh,
  yaml: (value) => flow(value),
  json: (value) => flow(value),
  ini,
};

/** A filter's function and the number of arguments that it takes behind its value. */
interface KnownFilter {
  readonly run: (value: unknown, argument: unknown) => unknown;
  readonly arguments: 0 | 1;
}

export const FILTERS: ReadonlyMap<string, KnownFilter> = new Map<string, KnownFilter>([
  ...Object.entries(QUOTING).map(([name, run]) => [name, { run, arguments: 0 }] as const),
  ["length", { run: length, arguments: 0 }],
  ["join", { run: join, arguments: 1 }],
  ["upper", { run: (value) => scalarText(value).toUpperCase(), arguments: 0 }],
  ["lower", { run: (value) => scalarText(value).toLowerCase(), arguments: 0 }],
]);

function length(value: unknown): number {
  if (typeof value === "string") {
    return [...value].length;
  }
  if (Array.isArray(value)) {
    return value.length;
  }
  throw new UnquotableValue(`is ${kindOf(value)}, which has no length`, "pass text or a list");
}

function join(value: unknown, separator: unknown): string {
  if (!Array.isArray(value)) {
    throw new UnquotableValue(`is ${kindOf(value)}, not a list`, "pass a list from the rule");
  }
  return Array.from(value, scalarText).join(scalarText(separator));
}

/** An output in a text for people: characters that a terminal hides or obeys are shown as escapes. */
export function plainText(value: unknown): string {
  return visible(scalarText(value));
}

/** A word of the shell where only one may stand: a second one would be a command. */
export function shAssigned(value: unknown): string {
  if (Array.isArray(value)) {
    const why = "is a list, and behind NAME= its second word would run as a command";
    throw new UnquotableValue(why, 'write `set -- {{ … | sh }}` and use "$@"');
  }
  return sh(value);
}

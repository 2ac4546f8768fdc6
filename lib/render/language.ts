/** What a template's output is written in; `text` is for people and knows no quoting. */
export type Language = "sh" | "yaml" | "json" | "ini" | "text";

const BY_EXTENSION: ReadonlyMap<string, Language> = new Map([
  ["sh", "sh"],
  ["yaml", "yaml"],
  ["yml", "yaml"],
  ["json", "json"],
  ["ini", "ini"],
  ["md", "text"],
  ["txt", "text"],
]);

export const TEMPLATE_NAMES = [...BY_EXTENSION.keys()].map((extension) => `.${extension}.njk`).join(", ");

/** The language that a template's file name tells, e.g. `setup.sh.njk` → sh; undefined for any other name. */
export function languageOf(path: string): Language | undefined {
  return BY_EXTENSION.get(/\.([a-z]+)\.njk$/.exec(path)?.[1] ?? "");
}

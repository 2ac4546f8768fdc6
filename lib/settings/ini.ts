import { parse } from "ini";
import type { Section } from "./scan.ts";

/** The values of the sections by `title.key`, as the package ini reads them. */
export function iniValues(sections: readonly Section[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [title, keys] of Object.entries(parse(unambiguous(sections)))) {
    for (const [key, value] of Object.entries(Object(keys))) {
      // ini makes true, false and null of these three words, even in quotes
      if (typeof value !== "object" || value === null) values.set(`${title}.${key}`, String(value));
    }
  }
  return values;
}

/** The sections as a text that ini neither cuts nor merges nor nests: words are JSON in printable ASCII, dots are escaped. */
function unambiguous(sections: readonly Section[]): string {
  const lines: string[] = [];
  for (const { title, entries } of sections) {
    lines.push(`[${asciiJson(title.replaceAll(".", "\\."))}]`);
    for (const { key, value } of entries) lines.push(`${asciiJson(key)}=${asciiJson(value)}`);
  }
  return lines.join("\n");
}

function asciiJson(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

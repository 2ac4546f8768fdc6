import { parse } from "ini";
import type { Section } from "./entry.ts";

/** By title and key. ini makes true, false and null of these three words, even in quotes. */
export type IniValues = Readonly<Record<string, Readonly<Record<string, string | boolean | null>>>>;

/** The values of the sections as the package ini reads them. */
export function iniValues(sections: Iterable<Section>): IniValues {
  return parse(unambiguous(sections));
}

/**
 * The sections as a text that ini neither cuts nor merges nor nests: words are JSON in printable ASCII, dots
 * are escaped.
 */
function unambiguous(sections: Iterable<Section>): string {
  const lines: string[] = [];
  for (const { title, entries } of sections) {
    lines.push(`[${asciiJson(title.replaceAll(".", "\\."))}]`);
    for (const { key, value } of entries.values()) {
      lines.push(`${asciiJson(key)}=${asciiJson(value)}`);
    }
  }
  return lines.join("\n");
}

function asciiJson(text: string): string {
  if (/^[ !#-[\]-~]*$/.test(text)) {
    return `"${text}"`;
  }
  return JSON.stringify(text).replace(
    /[^ -~]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

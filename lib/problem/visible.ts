/** Control characters, soft hyphen, bidirectional and zero-width characters, half surrogate pairs. */
const HIDDEN = new RegExp(
  [
    "[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u200b-\\u200f\\u2028-\\u202e]",
    "[\\u2060-\\u2069\\ufeff\\ufff9-\\ufffb]",
    "[\\ud800-\\udfff](?<![\\ud800-\\udbff][\\udc00-\\udfff])(?![\\udc00-\\udfff])",
  ].join("|"),
  "g",
);

/**
 * The text with every character that a terminal would hide or obey (ANSI, bidirectional overrides, NUL) as \u
 * escapes.
 */
export function visible(text: string): string {
  return text.replace(HIDDEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A value for use inside a message: quoted, hidden characters escaped, cut at 120 characters. */
export function shown(value: string): string {
  const escaped = visible(value);
  return `"${escaped.length > 120 ? `${escaped.slice(0, 120)}…` : escaped}"`;
}

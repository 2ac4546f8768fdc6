/** What a raw value means, or what is wrong with it. */
export type Unquoted = { readonly value: string } | { readonly fault: string; readonly fix: string };

/**
 * The value behind its quotes: bare text stands for itself, `'…'` is literal, `"…"` has the escapes of a JSON
 * string (RFC 8259, section 7). `raw` is trimmed already.
 */
export function unquoted(raw: string): Unquoted {
  const quote = raw[0];
  if (quote !== '"' && quote !== "'") {
    return { value: raw };
  }
  const whole = (quote === '"' ? /^"(?:[^"\\]|\\[^])*"/ : /^'[^']*'/).exec(raw)?.[0];
  if (whole === undefined) {
    return { fault: "quote not closed", fix: `end the value with ${quote}` };
  }
  if (whole.length < raw.length) {
    const fix = 'put a comment on a line of its own; inside of "…" write \\" for a quote';
    return { fault: "text after the closing quote", fix };
  }
  if (quote === "'") {
    return { value: whole.slice(1, -1) };
  }
  try {
    return { value: String(JSON.parse(whole)) };
  } catch {
    return {
      fault: 'unknown escape in "…"',
      fix: "write \\\\ for a backslash, or use single quotes: no escapes",
    };
  }
}

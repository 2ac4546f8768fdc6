const ANY = Symbol("any characters");
const ONE = Symbol("one character");

/** A pattern, character by character. What a variable stands for is never a wildcard. */
export type Pattern = readonly (string | symbol)[];

/**
 * The pattern in a text, where `*` stands for any characters and `?`, unless `one` is false, for one; `${name}`
 * stands for its value. Undefined where a variable has none.
 */
export function patternOf(
  text: string,
  value: (name: string) => string | undefined,
  { one = true }: { readonly one?: boolean } = {},
): Pattern | undefined {
  const pattern: (string | symbol)[] = [];
  for (const [part, name] of text.matchAll(/\$\{([^}]+)\}|[^]/gu)) {
    if (name !== undefined) {
      const known = value(name);
      if (known === undefined) {
        return undefined;
      }
      pattern.push(...known);
    } else if (part === "*") {
      pattern.push(ANY);
    } else {
      pattern.push(part === "?" && one ? ONE : part);
    }
  }
  return pattern;
}

/**
 * Whether a pattern is that of the whole text. A mismatch goes back to the last `*` only, so however many there are,
 * it takes no longer than both lengths multiplied.
 */
export function isLike(pattern: Pattern, text: string): boolean {
  const characters = [...text];
  let [at, next] = [0, 0];
  /** Behind the last `*`, and how far it reaches. */
  let [star, reach] = [-1, 0];
  while (next < characters.length) {
    if (pattern[at] === ANY) {
      [star, reach] = [++at, next];
    } else if (at < pattern.length && (pattern[at] === ONE || pattern[at] === characters[next])) {
      at++;
      next++;
    } else if (star >= 0) {
      at = star;
      next = ++reach;
    } else {
      return false;
    }
  }
  return pattern.slice(at).every((token) => token === ANY);
}

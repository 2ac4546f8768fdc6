import { inspect } from "node:util";
import { createHash, hash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";

/** The first 128 bits of the SHA-256 of the data, as 32 hexadecimal digits. */
export function digestOf(content: string | Uint8Array): string {
  // A slice of the longer text would keep that in memory.
  return hash("sha256", content, "buffer").toString("hex", 0, 16);
}

/** The digest of several texts that keeps their borders: ("ab", "c") and ("a", "bc") differ. */
export function digestOfList(parts: readonly string[]): string {
  return digestOf(JSON.stringify(parts));
}

/** The digest of a file read in pieces, for files too large to hold in memory. */
export function digestOfLargeFile(path: string): string {
  const piece = Buffer.allocUnsafe(1 << 20);
  const sha = createHash("sha256");
  const file = openSync(path, "r");
  try {
    for (let length = readSync(file, piece); length > 0; length = readSync(file, piece)) {
      sha.update(piece.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
  return sha.digest("hex").slice(0, 32);
}

/**
 * The one JSON text for a value: keys sorted, absent and undefined members alike, -0 as 0.
 * Throws a TypeError that names the path to whatever JSON cannot hold (NaN, bigint, Date, functions, cycles).
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(canonical(value, "value", []));
}

function canonical(value: unknown, path: string, above: readonly object[]): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") {
    return value;
  }
  if (typeof value === "number" && Number.isFinite(value)) {
    return value === 0 ? 0 : value;
  }
  if (typeof value !== "object") {
    throw new TypeError(`${path} is ${inspect(value)} (${typeof value}), which JSON cannot hold`);
  }
  if (above.includes(value)) {
    throw new TypeError(`${path} contains itself`);
  }
  const inside = [...above, value];
  if (Array.isArray(value)) {
    return value.map((item, index) => canonical(item, `${path}[${index}]`, inside));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${path} is a ${value.constructor.name}, which JSON cannot hold; give its text`);
  }
  const sorted: [string, unknown][] = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => [key, canonical(member, `${path}.${key}`, inside)]);
  // fromEntries defines own properties, so a key named __proto__ stays a key.
  return Object.fromEntries(sorted);
}

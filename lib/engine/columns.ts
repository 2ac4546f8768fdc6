/**
 * The container of the snapshot: a checksummed row of typed arrays that a process can look at without parsing.
 *
 *   0   8 bytes   "DOSPESOS"
 *   8   u32 × 2   checksum of everything behind it (the same in every version of the format)
 *   16  u32       format version
 *   20  u32       number of sections
 *   24  u32 × n   byte length of each section, padded to a multiple of 8
 *   …             the sections, each padded to a multiple of 8
 *
 * Numbers are little-endian. This module imports nothing: it is on the nothing-to-do path.
 */
const MAGIC = [0x50534f44, 0x534f5345];
export const FORMAT_VERSION = 2;
const HEADER = 24;

export type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** Why a file is no readable container. "newer" must never be overwritten; "damaged" and "older" may be made again. */
export type Unreadable = "damaged" | "older" | "newer";

export function packColumns(columns: readonly Column[]): Uint8Array {
  const table = HEADER + padded(columns.length * 4);
  const total = columns.reduce((sum, column) => sum + padded(column.byteLength), table);
  const bytes = new Uint8Array(total);
  const words = new Uint32Array(bytes.buffer);
  words.set([...MAGIC, 0, 0, FORMAT_VERSION, columns.length]);
  let offset = table;
  columns.forEach((column, index) => {
    words[HEADER / 4 + index] = column.byteLength;
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), offset);
    offset += padded(column.byteLength);
  });
  words.set(checksum(words, 4), 2);
  return bytes;
}

/** The sections as views into the given bytes, which must be aligned to 8, or why there are none. */
export function unpackColumns(bytes: Uint8Array): Uint8Array[] | Unreadable {
  if (bytes.byteLength < HEADER || bytes.byteLength % 8 !== 0) return "damaged";
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  if (words[0] !== MAGIC[0] || words[1] !== MAGIC[1]) return "damaged";
  const [first, second] = checksum(words, 4);
  if (words[2] !== first || words[3] !== second) return "damaged";
  // Only behind a good checksum: a flipped bit must not pass for another version.
  if (words[4]! > FORMAT_VERSION) return "newer";
  if (words[4]! < FORMAT_VERSION) return "older";
  const sections: Uint8Array[] = [];
  let offset = HEADER + padded(words[5]! * 4);
  for (let index = 0; index < words[5]!; index++) {
    const length = words[HEADER / 4 + index]!;
    sections.push(new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length));
    offset += padded(length);
  }
  return offset === bytes.byteLength ? sections : "damaged";
}

/**
 * Two 32-bit lanes over 32-bit words. Each step is a bijection of the lane, so a change of any one word (a flipped bit)
 * always changes both; cuts and larger damage pass with a chance of 2^-64.
 */
export function checksum(words: Uint32Array, start: number): [number, number] {
  let a = 0x9e3779b9;
  let b = 0x7f4a7c15;
  for (let index = start; index < words.length; index++) {
    const word = words[index]!;
    a = Math.imul(a ^ word, 0x85ebca6b);
    a ^= a >>> 15;
    b = Math.imul(((b << 7) | (b >>> 25)) + word, 0xcc9e2d51);
  }
  return [a >>> 0, (b ^ words.length) >>> 0];
}

function padded(length: number): number {
  return (length + 7) & ~7;
}

export function asU16(section: Uint8Array): Uint16Array {
  return new Uint16Array(section.buffer, section.byteOffset, section.byteLength >> 1);
}
export function asU32(section: Uint8Array): Uint32Array {
  return new Uint32Array(section.buffer, section.byteOffset, section.byteLength >> 2);
}
export function asF64(section: Uint8Array): Float64Array {
  return new Float64Array(section.buffer, section.byteOffset, section.byteLength >> 3);
}

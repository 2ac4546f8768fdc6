/**
 * The container of the snapshot: a checksummed row of typed arrays that a process can look at without
 * parsing. Its first sections have a checksum of their own: whoever needs only them reads no more.
 *
 *   0   8 bytes   "DOSPESOS"
 *   8   u32       checksum of what follows the checksums up to the end of the first sections
 *   12  u32       checksum of the rest
 *   16  u32       format version
 *   20  u32       number of sections
 *   24  u32       number of the first sections
 *   28  u32       bytes up to the end of the first sections
 *   32  u32 × n   byte length of each section, padded to a multiple of 8
 *   …             the sections, each padded to a multiple of 8
 *
 * Numbers are little-endian. Magic, checksums and version stand there in every version. This module imports
 * nothing: it is on the nothing-to-do path.
 */
const MAGIC = [0x50534f44, 0x534f5345];
export const FORMAT_VERSION = 4;
const HEADER = 32;
/** Words in front of what is checksummed. */
const UNCHECKED = 4;

export type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/**
 * Why a file is no readable container. "newer" must never be overwritten; "damaged" and "older" may be made
 * again.
 */
export type Unreadable = "damaged" | "older" | "newer";

export function packColumns(columns: readonly Column[], first: number): Uint8Array {
  const table = HEADER + padded(columns.length * 4);
  const lengths = columns.map((column) => padded(column.byteLength));
  const sum = (parts: readonly number[]): number => parts.reduce((total, length) => total + length, table);
  const end = sum(lengths.slice(0, first));
  const bytes = new Uint8Array(sum(lengths));
  const words = new Uint32Array(bytes.buffer);
  words.set([...MAGIC, 0, 0, FORMAT_VERSION, columns.length, first, end]);
  let offset = table;
  columns.forEach((column, index) => {
    words[HEADER / 4 + index] = column.byteLength;
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), offset);
    offset += lengths[index]!;
  });
  words[2] = checksum(words, UNCHECKED, end / 4);
  words[3] = checksum(words, end / 4, words.length);
  return bytes;
}

/**
 * The sections as views into the given bytes, which must be aligned to 8, or why there are none. "first":
 * does not look for damage behind the first ones.
 */
export function unpackColumns(bytes: Uint8Array, which: "first" | "all"): Uint8Array[] | Unreadable {
  if (bytes.byteLength < HEADER || bytes.byteLength % 8 !== 0) {
    return "damaged";
  }
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  if (words[0] !== MAGIC[0] || words[1] !== MAGIC[1]) {
    return "damaged";
  }
  // Another version may have another header: what is behind the version number is checked by its own rules
  // only.
  const [version, count, end] = [words[4]!, words[5]!, words[7]!];
  if (
    end % 8 !== 0 ||
    end < HEADER ||
    end > bytes.byteLength ||
    words[2] !== checksum(words, UNCHECKED, end / 4)
  ) {
    return "damaged";
  }
  if (which === "all" && words[3] !== checksum(words, end / 4, words.length)) {
    return "damaged";
  }
  // Only behind a good checksum: a flipped bit must not pass for another version.
  if (version !== FORMAT_VERSION) {
    return version > FORMAT_VERSION ? "newer" : "older";
  }
  const sections: Uint8Array[] = [];
  let offset = HEADER + padded(count * 4);
  for (let index = 0; index < count; index++) {
    const length = words[HEADER / 4 + index]!;
    if (offset + length > bytes.byteLength) {
      return "damaged";
    }
    sections.push(new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length));
    offset += padded(length);
  }
  return offset === bytes.byteLength ? sections : "damaged";
}

/**
 * A 32-bit checksum of words. Each step is a bijection of what was before, so a change of any one word (a
 * flipped bit) always changes it; cuts and larger damage pass with a chance of 2^-32.
 */
export function checksum(words: Uint32Array, start: number, end: number): number {
  let sum = 0x9e3779b9 ^ (end - start);
  for (let at = start; at < end; at += BLOCK) {
    sum = blockChecksum(words, at, Math.min(at + BLOCK, end), sum);
  }
  return sum >>> 0;
}

/**
 * In blocks, since V8 compiles a function that is called again and again sooner than a loop that is entered
 * once.
 */
const BLOCK = 512;

function blockChecksum(words: Uint32Array, start: number, end: number, before: number): number {
  let sum = before;
  for (let at = start; at < end; at++) {
    sum = Math.imul(sum ^ words[at]!, 0x85ebca6b);
    sum ^= sum >>> 15;
  }
  return sum;
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

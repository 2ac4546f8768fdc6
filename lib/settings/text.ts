import { ProblemError } from "../problem/index.ts";
import { faults, problem } from "./faults.ts";

/**
 * The file's text without its byte order mark.
 * Throws ProblemError (exit code 2) at the first line that is not UTF-8.
 */
export function settingsText(bytes: Uint8Array, file: string): string {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new ProblemError([
      problem(faults.notUtf8, { file, line: 1, column: 1 }, "the file is UTF-16, not UTF-8"),
    ]);
  }
  try {
    return decoded(bytes);
  } catch {
    const location = { file, line: firstBadLine(bytes), column: 1 };
    throw new ProblemError([problem(faults.notUtf8, location, "the line has bytes that are not UTF-8")]);
  }
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

function firstBadLine(bytes: Uint8Array): number {
  let start = 0;
  for (let line = 1; ; line++) {
    const end = bytes.indexOf(0x0a, start);
    try {
      decoded(bytes.subarray(start, end === -1 ? bytes.length : end));
    } catch {
      return line;
    }
    if (end === -1) {
      return line;
    }
    start = end + 1;
  }
}

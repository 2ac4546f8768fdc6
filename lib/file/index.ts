/** Files on the ground floor: the one way to replace a file, and who else can write one. */
export { replaceFile, writeAll, type ReplaceOptions } from "./replace.ts";
export { keepsModes, otherWriters } from "./writers.ts";

/** Files on the ground floor: the one way to replace a file. */
export { replaceFile, writeAll, type ReplaceOptions } from "./replace.ts";

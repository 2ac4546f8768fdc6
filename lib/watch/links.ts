import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Linux follows no more of them one after the other (path_resolution(7)). */
const MOST_LINKS = 40;

/** Where a file leads that is a link, link by link to the file itself; nothing for a file that is none. */
export function linksAt(path: string): readonly string[] {
  const ends: string[] = [];
  for (let at = path; ends.length < MOST_LINKS && isLink(at);) {
    at = resolve(realpathSync(dirname(at)), readlinkSync(at));
    ends.push(at);
  }
  return ends;
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  } catch {
    return false; // its folder is a file now
  }
}

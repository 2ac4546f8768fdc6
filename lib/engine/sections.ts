/**
 * The snapshot `.dospesos/snapshot`: the whole state as columns (see columns.ts for the container). The sections stand
 * in the order of `SECTIONS`; lists of lists are a column of starts beside a column of members. Names never hold NUL.
 *
 * What the nothing-to-do path needs is readable without the rest: names, kinds, stats, digests of nodes; targets, groups
 * and `fresh`. `fresh` says of each step that its record agrees with the node digests in this very file, and so do all
 * steps below it: if no node has changed since, the step is fresh.
 */
import { unpackColumns, type Unreadable } from "./columns.ts";

export const SECTIONS = [
  "program", "banner", "nodeKind", "nodeName", "nodeDigest", "size", "mtime", "ctime", "inode", "mode", "racy",
  "stepKind", "fresh", "outStart", "out", "group", "groupStart", "groupMember",
  // from here on only a build that has something to do looks
  "digest", "textDigest", "text", "stepFlags", "label", "definition", "outMode", "needStart", "need", "graphEdgeNode", "graphEdgeDigest",
  "recordNode", "recordStatus", "recordDefinition", "recordFlags", "recordOutStart", "recordOutNode", "recordOutDigest",
  "recordEdgeStart", "recordEdgeNode", "recordEdgeDigest", "glob", "globStart", "globFolder",
] as const;
export type SectionName = (typeof SECTIONS)[number];
export type Sections = Readonly<Record<SectionName, Uint8Array>>;

export function readSections(bytes: Uint8Array): Sections | Unreadable {
  const unpacked = unpackColumns(bytes);
  if (typeof unpacked === "string") return unpacked;
  if (unpacked.length !== SECTIONS.length) return "damaged";
  return Object.fromEntries(SECTIONS.map((name, index) => [name, unpacked[index]])) as Record<SectionName, Uint8Array>;
}

/**
 * The snapshot `.dospesos/snapshot`: the whole state as columns (see columns.ts for the container). The sections stand
 * in the order of `SECTIONS`; lists of lists are a column of starts beside a column of members. Names never hold NUL.
 *
 * What the nothing-to-do path needs stands first: names, kinds, stats, digests of nodes; groups and
 * `fresh`. `fresh` says of each step that its record agrees with the node digests in this very file, and so do all
 * steps below it: if no node has changed since, the step is fresh.
 */
import { unpackColumns, type Unreadable } from "./columns.ts";

/** What the nothing-to-do path reads. */
export const FIRST_SECTIONS = [
  "program", "banner", "nodeKind", "nodeName", "nodeDigest", "size", "mtime", "ctime", "inode", "mode", "racy",
  "stepKind", "fresh", "group", "groupStart", "groupMember",
] as const;
export const SECTIONS = [
  ...FIRST_SECTIONS,
  "digest", "textDigest", "text", "outStart", "out", "stepFlags", "label", "definition", "outMode", "needStart", "need", "graphEdgeNode", "graphEdgeDigest",
  "recordNode", "recordStatus", "recordDefinition", "recordFlags", "recordOutStart", "recordOutNode", "recordOutDigest",
  "recordEdgeStart", "recordEdgeNode", "recordEdgeDigest", "glob", "globStart", "globFolder",
] as const;
export type SectionName = (typeof SECTIONS)[number];
export type FirstSections = Readonly<Record<(typeof FIRST_SECTIONS)[number], Uint8Array>>;
export type Sections = Readonly<Record<SectionName, Uint8Array>>;

export function readSections(bytes: Uint8Array, which: "first"): FirstSections | Unreadable;
export function readSections(bytes: Uint8Array, which: "all"): Sections | Unreadable;
export function readSections(bytes: Uint8Array, which: "first" | "all"): FirstSections | Unreadable {
  const unpacked = unpackColumns(bytes, which);
  if (typeof unpacked === "string") return unpacked;
  const sections = which === "first" ? FIRST_SECTIONS : SECTIONS;
  if (unpacked.length !== sections.length) return "damaged";
  return Object.fromEntries(sections.map((name, index) => [name, unpacked[index]])) as Sections;
}

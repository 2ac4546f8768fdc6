/**
 * The snapshot `.dospesos/snapshot`: the whole state as columns (see columns.ts for the container). The
 * sections are in the order of `SECTIONS`; lists of lists are a column of starts beside a column of
 * members. Names never hold NUL.
 *
 * What the nothing-to-do path needs stands first. `fresh` says of each step that its record agrees with the
 * node digests in this very file, and so do all steps below it: if no node has changed since, the step is
 * fresh.
 */
import { unpackColumns, type Unreadable } from "./columns.ts";

/** What the nothing-to-do path believes: it has a checksum of its own. */
export const BELIEVED_SECTIONS = [
  "program",
  "banner",
  "nodeKind",
  "nodeName",
  "nodeDigest",
  "racy",
  "fresh",
  "group",
  "groupStart",
  "groupMember",
] as const;
/**
 * The stats that it compares with those of the files. Damage in them makes a difference, so it need not look
 * for any.
 */
export const COMPARED_SECTIONS = ["size", "mtime", "ctime", "inode"] as const;
export const SECTIONS = [
  ...BELIEVED_SECTIONS,
  ...COMPARED_SECTIONS,
  "mode",
  "digest",
  "textDigest",
  "text",
  "stepKind",
  "outStart",
  "out",
  "stepFlags",
  "label",
  "definition",
  "needsDigest",
  "outMode",
  "needStart",
  "need",
  "graphEdgeNode",
  "graphEdgeDigest",
  "recordNode",
  "recordStatus",
  "recordDefinition",
  "recordNeedsDigest",
  "recordFlags",
  "recordOutStart",
  "recordOutNode",
  "recordOutDigest",
  "recordEdgeStart",
  "recordEdgeNode",
  "recordEdgeDigest",
  "settingsOther",
  "glob",
  "globStart",
  "globFolder",
] as const;
export type SectionName = (typeof SECTIONS)[number];
export type Sections = Readonly<Record<SectionName, Uint8Array>>;
/** Without looking for damage in the others. */
export type FirstSections = Pick<Sections, (typeof BELIEVED_SECTIONS | typeof COMPARED_SECTIONS)[number]>;

export function readSections(bytes: Uint8Array, which: "first"): FirstSections | Unreadable;
export function readSections(bytes: Uint8Array, which: "all"): Sections | Unreadable;
export function readSections(bytes: Uint8Array, which: "first" | "all"): FirstSections | Unreadable {
  const unpacked = unpackColumns(bytes, which);
  if (typeof unpacked === "string") {
    return unpacked;
  }
  if (unpacked.length !== SECTIONS.length) {
    return "damaged";
  }
  return Object.fromEntries(SECTIONS.map((name, index) => [name, unpacked[index]])) as Sections;
}

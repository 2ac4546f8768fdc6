/**
 * The whole of a build that has nothing to do: looks at the stat of every file that the snapshot knows and compares it with what
 * was recorded. It evaluates no user code, parses no settings and imports `node:fs` alone (and `node:crypto` where an environment
 * variable was read). In any doubt it says no, and the build proper decides; so it may be narrow, but never wrong.
 */
import { readFileSync, statSync, type Stats } from "node:fs";
import { asF64, asU32 } from "./columns.ts";
import { Digest, fixedDigests, Kind } from "./model.ts";
import { readSections, type Sections } from "./sections.ts";

/** True if all targets are fresh; says so on stderr. `program` is the digest of the program that runs. */
export function nothingToDo(root: string, targets: readonly string[], program: string): boolean {
  const sections = open(root);
  if (sections === undefined || text(sections.program) !== program) return false;
  const steps = requested(sections, targets);
  if (steps === undefined || steps.some((step) => sections.fresh[step] !== 1) || !isUntouched(root, sections)) return false;
  // A reader that went away (`2>&1 | head`) is no reason to fail.
  process.stderr.on("error", () => {});
  process.stderr.write(`${nothingToDoText(text(sections.banner), targets)}\n`);
  return true;
}

export function nothingToDoText(banner: string, targets: readonly string[]): string {
  return `${banner === "" ? "" : `${banner}  `}nothing to do${targets.length === 0 ? "" : ` for ${targets.join(", ")}`}: all is fresh`;
}

function open(root: string): Sections | undefined {
  try {
    const bytes = readFileSync(`${root}/.dospesos/snapshot`);
    // A journal means that the last build did not end.
    if (statSync(`${root}/.dospesos/journal`, { throwIfNoEntry: false }) !== undefined) return undefined;
    const sections = readSections(bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes));
    return typeof sections === "string" ? undefined : sections;
  } catch {
    return undefined;
  }
}

/** The steps that the names stand for; undefined if one is unknown. A fresh step has only fresh steps below it. */
function requested(sections: Sections, targets: readonly string[]): readonly number[] | undefined {
  const count = sections.stepKind.length;
  if (targets.length === 0) return Array.from({ length: count }, (_, step) => step);
  const groups = text(sections.group).split("\0");
  const [groupStart, groupMember] = [asU32(sections.groupStart), asU32(sections.groupMember)];
  const steps = new Set<number>();
  for (const target of targets) {
    const group = groupStart.length > 1 ? groups.indexOf(target) : -1;
    if (group < 0) return undefined;
    for (const step of groupMember.subarray(groupStart[group], groupStart[group + 1])) steps.add(step);
  }
  return [...steps];
}

function isUntouched(root: string, sections: Sections): boolean {
  const { nodeKind, racy } = sections;
  const digest = asU32(sections.nodeDigest);
  const [size, mtime, ctime, inode] = [asF64(sections.size), asF64(sections.mtime), asF64(sections.ctime), asF64(sections.inode)];
  const names = text(sections.nodeName).split("\0");
  // A short path is a short walk for the kernel.
  const prefix = root === process.cwd() ? "" : `${root}/`;
  const options = { throwIfNoEntry: false } as const;
  for (let node = 1; node < nodeKind.length; node++) {
    if (digest[node] === Digest.unknown) continue;
    if (nodeKind[node] === Kind.environment && environmentDigest(process.env[names[node]!]) !== digestAt(sections, digest[node]!)) return false;
    if (nodeKind[node] !== Kind.file) continue;
    const name = names[node]!;
    let stat: Stats | undefined;
    try {
      stat = statSync(name.charCodeAt(0) === SLASH ? name : prefix + name, options);
    } catch {
      return false;
    }
    if (stat === undefined) {
      if (digest[node] !== Digest.missing) return false;
    } else if (stat.mtimeMs !== mtime[node] || stat.ctimeMs !== ctime[node] || stat.size !== size[node] || stat.ino !== inode[node] || racy[node] !== 0) {
      return false;
    }
  }
  return true;
}

const SLASH = 47;

/** As the observer makes it (see observe.ts). */
function environmentDigest(value: string | undefined): string {
  if (value === undefined) return fixedDigests[Digest.missing]!;
  return process.getBuiltinModule("node:crypto").hash("sha256", `environment:${value}`, "hex").slice(0, 32);
}

function digestAt(sections: Sections, digest: number): string {
  return Buffer.from(sections.digest.subarray(digest * 16, digest * 16 + 16)).toString("hex");
}

function text(section: Uint8Array): string {
  return Buffer.from(section.buffer, section.byteOffset, section.byteLength).toString("utf8");
}

/**
 * The whole of a build that has nothing to do: looks at the stat of every file that the snapshot knows and
 * compares it with what was recorded. It evaluates no user code, parses no settings and imports `node:fs`
 * alone (and `node:crypto` where an environment variable was read). In any doubt it says no, and the build
 * proper decides; so it may be narrow, but never wrong.
 */
import { readFileSync, statSync, type Stats } from "node:fs";
import { asF64, asU32 } from "../state/columns.ts";
import { Digest, fixedDigests, Kind } from "../model.ts";
import { readSections, type FirstSections } from "../state/sections.ts";

/**
 * What to tell the person if all targets are fresh; undefined in any doubt. `program` is the digest of the
 * program that runs, `variant` which of the project's states is meant.
 */
export function nothingToDo(
  root: string,
  targets: readonly string[],
  program: string,
  variant = "",
): string | undefined {
  const bytes = read(root, variant);
  const sections = bytes === undefined ? "damaged" : readSections(bytes, "first");
  if (typeof sections === "string" || text(sections.program) !== program) {
    return undefined;
  }
  if (
    !(targets.length === 0 ? sections.fresh.every(isNothingToDo) : areFresh(sections, targets)) ||
    !isUntouched(root, sections, bytes!)
  ) {
    return undefined;
  }
  return nothingToDoText(text(sections.banner), targets);
}

export function nothingToDoText(banner: string, targets: readonly string[]): string {
  return `${banner === "" ? "" : `${banner}  `}nothing to do${targets.length === 0 ? "" : ` for ${targets.join(", ")}`}: all is fresh`;
}

/** The snapshot, aligned; nothing where there is none or the last build did not end. */
function read(root: string, variant: string): Uint8Array | undefined {
  try {
    const folder = `${root}/.dospesos${variant === "" ? "" : `/${variant}`}`;
    const bytes = readFileSync(`${folder}/snapshot`);
    if (statSync(`${folder}/journal`, { throwIfNoEntry: false }) !== undefined) {
      return undefined;
    }
    return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Whether the steps that the groups stand for were fresh; not for other names. A fresh step has only fresh
 * steps below it.
 */
function areFresh(sections: FirstSections, targets: readonly string[]): boolean {
  const [start, member] = [asU32(sections.groupStart), asU32(sections.groupMember)];
  const groups = start.length > 1 ? text(sections.group).split("\0") : [];
  return targets.every((target) => {
    const group = groups.indexOf(target);
    return (
      group >= 0 &&
      member.subarray(start[group], start[group + 1]).every((step) => sections.fresh[step] === 1)
    );
  });
}

/** Fresh, or nothing that a plain build makes. */
function isNothingToDo(value: number): boolean {
  return value !== 0;
}

function isUntouched(root: string, sections: FirstSections, bytes: Uint8Array): boolean {
  const { nodeKind, racy } = sections;
  const digest = asU32(sections.nodeDigest);
  const [size, mtime, ctime, inode] = [
    asF64(sections.size),
    asF64(sections.mtime),
    asF64(sections.ctime),
    asF64(sections.inode),
  ];
  const names = text(sections.nodeName).split("\0");
  // A short path is a short walk for the kernel.
  const prefix = root === process.cwd() ? "" : `${root}/`;
  const options = { throwIfNoEntry: false } as const;
  for (let node = 1; node < nodeKind.length; node++) {
    if (digest[node] === Digest.unknown) {
      continue;
    }
    if (
      nodeKind[node] === Kind.environment &&
      environmentDigest(process.env[names[node]!]) !== digestAt(bytes, digest[node]!)
    ) {
      return false;
    }
    if (nodeKind[node] !== Kind.file) {
      continue;
    }
    const name = names[node]!;
    let stat: Stats | undefined;
    try {
      stat = statSync(name.charCodeAt(0) === SLASH ? name : prefix + name, options);
    } catch {
      return false;
    }
    if (stat === undefined) {
      if (digest[node] !== Digest.missing) {
        return false;
      }
    } else if (
      stat.mtimeMs !== mtime[node] ||
      stat.ctimeMs !== ctime[node] ||
      stat.size !== size[node] ||
      stat.ino !== inode[node] ||
      racy[node] !== 0
    ) {
      return false;
    }
  }
  return true;
}

const SLASH = 47;

/** As the observer makes it (see observe.ts). */
function environmentDigest(value: string | undefined): string {
  if (value === undefined) {
    return fixedDigests[Digest.missing]!;
  }
  return process.getBuiltinModule("node:crypto").hash("sha256", `environment:${value}`, "hex").slice(0, 32);
}

function digestAt(bytes: Uint8Array, digest: number): string | undefined {
  const sections = readSections(bytes, "all");
  return typeof sections === "string"
    ? undefined
    : Buffer.from(sections.digest.subarray(digest * 16, digest * 16 + 16)).toString("hex");
}

function text(section: Uint8Array): string {
  return Buffer.from(section.buffer, section.byteOffset, section.byteLength).toString("utf8");
}

import type { Stats } from "node:fs";
import type { NodeId } from "../model.ts";

/**
 * What the stat of each file was when its content was last looked at, as columns: bytes, milliseconds, and
 * what the kernel gave for the rest. They are compared for equality only. As doubles, which cost half of what
 * bigints cost, times are told apart from a quarter of a microsecond on; what changes faster than a tick of
 * the kernel's clock is racy anyway.
 */
export interface StampColumns {
  readonly size: Float64Array;
  readonly mtime: Float64Array;
  readonly ctime: Float64Array;
  readonly inode: Float64Array;
  /** Permission bits. */
  readonly mode: Uint16Array;
  /**
   * Changed so shortly before it was looked at that a later change might not show: must be hashed next time.
   */
  readonly racy: Uint8Array;
}

const COLUMNS = ["size", "mtime", "ctime", "inode", "mode", "racy"] as const;

export class Stamps {
  #columns: StampColumns = emptyColumns(16);

  load(columns: StampColumns): void {
    this.#columns = columns;
  }

  /** The columns, cut or extended to `count` nodes. */
  columns(count: number): StampColumns {
    return copyColumns(this.#columns, count);
  }

  /** Copies the stamps of some nodes, which have other ids here. */
  take(from: Stamps, ids: ReadonlyMap<NodeId, NodeId>): void {
    const [old, columns] = [from.#columns, emptyColumns(ids.size * 2 + 16)];
    for (const [node, id] of ids) {
      if (node < old.size.length) {
        for (const column of COLUMNS) {
          columns[column][id] = old[column][node]!;
        }
      }
    }
    this.#columns = columns;
  }

  /** Whether the stat is the one that is noted. */
  equals(node: NodeId, stat: Stats): boolean {
    const { size, mtime, ctime, inode } = this.#columns;
    return (
      stat.mtimeMs === mtime[node] &&
      stat.ctimeMs === ctime[node] &&
      stat.size === size[node] &&
      stat.ino === inode[node]
    );
  }

  /** Whether the stat vouches for the content: the file was not touched since that was looked at. */
  vouches(node: NodeId, stat: Stats): boolean {
    return !this.isRacy(node) && this.equals(node, stat);
  }

  isRacy(node: NodeId): boolean {
    return this.#columns.racy[node] !== 0;
  }

  mode(node: NodeId): number {
    return this.#columns.mode[node] ?? 0;
  }

  /** Returns whether anything was different before. */
  set(node: NodeId, stat: Stats, isRacy: boolean): boolean {
    if (node >= this.#columns.size.length) {
      this.#columns = copyColumns(this.#columns, node * 2);
    }
    const { size, mtime, ctime, inode, mode, racy } = this.#columns;
    const bits = stat.mode & 0o7777;
    if (racy[node] === (isRacy ? 1 : 0) && mode[node] === bits && this.equals(node, stat)) {
      return false;
    }
    size[node] = stat.size;
    mtime[node] = stat.mtimeMs;
    ctime[node] = stat.ctimeMs;
    inode[node] = stat.ino;
    mode[node] = bits;
    racy[node] = isRacy ? 1 : 0;
    return true;
  }

  /** The next look hashes the file, whatever its stat. Returns whether that was different before. */
  distrust(node: NodeId): boolean {
    const { racy } = this.#columns;
    if (racy[node] !== 0) {
      return false;
    }
    racy[node] = 1;
    return true;
  }
}

function emptyColumns(count: number): StampColumns {
  const doubles = (): Float64Array => new Float64Array(count);
  return {
    size: doubles(),
    mtime: doubles(),
    ctime: doubles(),
    inode: doubles(),
    mode: new Uint16Array(count),
    racy: new Uint8Array(count).fill(1),
  };
}

function copyColumns(from: StampColumns, count: number): StampColumns {
  const to = emptyColumns(count);
  const kept = Math.min(from.size.length, count);
  for (const column of COLUMNS) {
    to[column].set(from[column].subarray(0, kept));
  }
  return to;
}

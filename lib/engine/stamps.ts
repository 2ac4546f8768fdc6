import type { BigIntStats } from "node:fs";
import type { NodeId } from "./model.ts";

/** The stat of a file when its content was last looked at: nanoseconds and bytes, compared for equality only. */
export interface Stamp {
  readonly size: bigint;
  readonly mtime: bigint;
  readonly ctime: bigint;
  readonly inode: bigint;
  /** Permission bits. */
  readonly mode: number;
  /** Changed so shortly before it was looked at that a later change might not show: must be hashed next time. */
  readonly racy: boolean;
}

export interface StampColumns {
  readonly size: BigInt64Array;
  readonly mtime: BigInt64Array;
  readonly ctime: BigInt64Array;
  readonly inode: BigInt64Array;
  readonly mode: Uint16Array;
  readonly racy: Uint8Array;
}

/** The stamp that no file has. */
export const NO_STAMP: Stamp = { size: -1n, mtime: 0n, ctime: 0n, inode: 0n, mode: 0, racy: true };

/** The stamps of all nodes as columns: a stamp costs 35 bytes and no object. */
export class Stamps {
  #columns: StampColumns = emptyColumns(16);

  load(columns: StampColumns): void {
    this.#columns = copyColumns(columns, Math.max(16, columns.size.length * 2));
  }

  /** Copies of the columns, cut or extended to `count` nodes. */
  columns(count: number): StampColumns {
    return copyColumns(this.#columns, count);
  }

  /** True if the file was not touched since its content was looked at, as far as its stat tells. */
  matches(node: NodeId, stat: BigIntStats): boolean {
    const { size, mtime, ctime, inode } = this.#columns;
    return stat.mtimeNs === mtime[node] && stat.ctimeNs === ctime[node] && stat.size === size[node] && BigInt.asIntN(64, stat.ino) === inode[node];
  }

  isRacy(node: NodeId): boolean {
    return this.#columns.racy[node] !== 0;
  }

  mode(node: NodeId): number {
    return this.#columns.mode[node] ?? 0;
  }

  /** Returns whether anything was different before. */
  set(node: NodeId, stamp: Stamp): boolean {
    if (node >= this.#columns.size.length) this.#columns = copyColumns(this.#columns, node * 2);
    const { size, mtime, ctime, inode, mode, racy } = this.#columns;
    const racyFlag = stamp.racy ? 1 : 0;
    const same = mtime[node] === stamp.mtime && ctime[node] === stamp.ctime && size[node] === stamp.size
      && inode[node] === stamp.inode && mode[node] === stamp.mode && racy[node] === racyFlag;
    if (same) return false;
    size[node] = stamp.size;
    mtime[node] = stamp.mtime;
    ctime[node] = stamp.ctime;
    inode[node] = stamp.inode;
    mode[node] = stamp.mode;
    racy[node] = racyFlag;
    return true;
  }
}

export function stampOf(stat: BigIntStats, racy: boolean): Stamp {
  const inode = BigInt.asIntN(64, stat.ino);
  return { size: stat.size, mtime: stat.mtimeNs, ctime: stat.ctimeNs, inode, mode: Number(stat.mode & 0o7777n), racy };
}

function emptyColumns(count: number): StampColumns {
  return {
    size: new BigInt64Array(count).fill(NO_STAMP.size), mtime: new BigInt64Array(count), ctime: new BigInt64Array(count),
    inode: new BigInt64Array(count), mode: new Uint16Array(count), racy: new Uint8Array(count).fill(1),
  };
}

function copyColumns(from: StampColumns, count: number): StampColumns {
  const to = emptyColumns(count);
  const kept = Math.min(from.size.length, count);
  to.size.set(from.size.subarray(0, kept));
  to.mtime.set(from.mtime.subarray(0, kept));
  to.ctime.set(from.ctime.subarray(0, kept));
  to.inode.set(from.inode.subarray(0, kept));
  to.mode.set(from.mode.subarray(0, kept));
  to.racy.set(from.racy.subarray(0, kept));
  return to;
}

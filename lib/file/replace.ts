import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
  type Stats,
} from "node:fs";

export interface ReplaceOptions {
  /** Permissions, whatever the umask is; 0 leaves them to the umask. */
  readonly mode: number;
  /** The content has reached the disk before the old file goes: for what cannot be made again. */
  readonly durable?: boolean;
  /** Where the content is written first; in the folder of the file. Default: the file's name with `.tmp`. */
  readonly temporary?: string;
  /** Runs on the open file before it gets its name. */
  readonly prepare?: (file: number) => void;
}

/**
 * Replaces a file, or makes it: a reader sees the old content or the new one, and a full disk or a crash leaves
 * the old one. It is a new file: a link by that name is replaced and not followed, and the permissions are never
 * wider than asked for. Only one process at a time may replace a file. Gives its stat.
 * @throws NodeJS.ErrnoException with the path of the file
 */
export function replaceFile(
  path: string,
  content: string | Uint8Array,
  { mode, durable = false, temporary = `${path}.tmp`, prepare }: ReplaceOptions,
): Stats {
  const file = createAnew(temporary, mode === 0 ? 0o666 : mode & 0o700);
  try {
    writeAll(file, typeof content === "string" ? Buffer.from(content) : content, path);
    if (mode !== 0) {
      fchmodSync(file, mode);
    }
    prepare?.(file);
    if (durable) {
      fsyncSync(file);
    }
    renameSync(temporary, path);
    // Through the open file: whatever somebody else puts there now is not taken for this.
    return fstatSync(file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/**
 * Writes every byte: a single write may stop short on a full disk without an error. An error names the file.
 */
export function writeAll(file: number, bytes: Uint8Array, path: string, position = 0): void {
  try {
    for (let offset = 0; offset < bytes.length;) {
      offset += writeSync(file, bytes, offset, bytes.length - offset, position + offset);
    }
  } catch (error) {
    throw Object.assign(error as NodeJS.ErrnoException, { path });
  }
}

/** Opens a file that must not be there; what an older run may have left in its place is removed. */
function createAnew(path: string, mode: number): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  try {
    return openSync(path, flags, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
    rmSync(path, { force: true });
    return openSync(path, flags, mode);
  }
}

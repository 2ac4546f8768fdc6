import { createHash, randomUUID } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  rmSync,
  statSync,
  type ReadStream,
} from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Readable } from "node:stream";

/** An object of S3: where it lies, and what a caller is told of it. */
export interface StoredObject {
  readonly bytes: number;
  /** Quoted, as S3 sends it: the MD5 of the content. */
  readonly etag: string;
}

/** The sandbox's S3: files beside the account's, named by the digest of bucket and key. */
export class ObjectStore {
  readonly #folder: string;

  constructor(home: string) {
    this.#folder = join(home, "objects");
  }

  #file(name: string): string {
    return join(this.#folder, createHash("sha256").update(name).digest("hex"));
  }

  /** `name`: bucket and key, "bucket/a/b". */
  async put(name: string, content: Readable): Promise<StoredObject> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const temporary = join(this.#folder, `${randomUUID()}.tmp`);
    const md5 = createHash("md5");
    let bytes = 0;
    content.on("data", (piece: Buffer) => {
      md5.update(piece);
      bytes += piece.length;
    });
    try {
      await pipeline(content, createWriteStream(temporary, { mode: 0o600, flush: true }));
      await rename(temporary, this.#file(name));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    return { bytes, etag: `"${md5.digest("hex")}"` };
  }

  has(name: string): boolean {
    return existsSync(this.#file(name));
  }

  bytes(name: string): number {
    return statSync(this.#file(name)).size;
  }

  read(name: string): ReadStream {
    return createReadStream(this.#file(name));
  }

  remove(name: string): void {
    rmSync(this.#file(name), { force: true });
  }

  /** SHA-256 in base64, as recipes have it. */
  async digest(name: string): Promise<string> {
    const hash = createHash("sha256");
    await pipeline(this.read(name), hash);
    return hash.digest("base64");
  }
}

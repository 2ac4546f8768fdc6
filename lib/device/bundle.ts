import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

/** One file of a bundle: its name (no folder in it), its content and its permission bits, e.g. 0o600. */
export interface BundleFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

/** The MANIFEST of a bundle: one `sha256  name` a line as `sha256sum -c` reads it, sorted by name. */
export function manifest(files: Iterable<Pick<BundleFile, "name" | "bytes">>): string {
  return sorted(files)
    .map((file) => `${createHash("sha256").update(file.bytes).digest("hex")}  ${file.name}\n`)
    .join("");
}

/**
 * A .tar.gz with one folder (mode 0700, since it holds a private key) and its files: owner 0, time 0, sorted
 * by name, so the same files give the same bytes on every machine.
 */
export async function archive(folderName: string, files: Iterable<BundleFile>): Promise<Uint8Array> {
  const { pack } = await import("tar-stream");
  const tar = pack();
  const fixed = { uid: 0, gid: 0, mtime: new Date(0) };
  tar.entry({ ...fixed, name: `${folderName}/`, type: "directory", mode: 0o700 });
  for (const file of sorted(files)) {
    tar.entry({ ...fixed, name: `${folderName}/${file.name}`, mode: file.mode }, Buffer.from(file.bytes));
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) {
    chunks.push(chunk as Buffer);
  }
  return reproducibleGzip(Buffer.concat(chunks));
}

/**
 * Stored, not compressed: what zlib's compression gives depends on its version and on the processor, and the
 * largest file of a bundle, the nucleus zip, is compressed already. Byte 9 names the operating system (RFC
 * 1952): 255 is unknown.
 */
function reproducibleGzip(bytes: Uint8Array): Uint8Array {
  const zipped = gzipSync(bytes, { level: 0 });
  zipped[9] = 255;
  return zipped;
}

function sorted<T extends { readonly name: string }>(files: Iterable<T>): T[] {
  return [...files].sort((a, b) => Number(a.name > b.name) - Number(a.name < b.name));
}

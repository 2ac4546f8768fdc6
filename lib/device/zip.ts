import { buffer } from "node:stream/consumers";
import { SignatureFault } from "./cms.ts";

/**
 * The most that the files of a nucleus zip may be together, unpacked, in bytes: it is many times what AWS has
 * ever served.
 */
const LARGEST = 1 << 30;

/**
 * The files of a zip by name. Throws a SignatureFault for a zip that is damaged or cut, has a name twice or
 * one that leads out of its folder, or would be over 1 GiB: different programs would see different files in
 * it.
 */
export async function readZip(bytes: Uint8Array): Promise<ReadonlyMap<string, Uint8Array>> {
  const { default: yauzl } = await import("yauzl");
  const entries = new Map<string, Uint8Array>();
  try {
    const zip = await yauzl.fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), {
      lazyEntries: true,
      strictFileNames: true,
    });
    let size = 0;
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith("/") && entry.uncompressedSize === 0) {
        continue;
      }
      size += entry.uncompressedSize;
      if (size > LARGEST) {
        throw new SignatureFault("is over 1 GiB when it is unpacked");
      }
      if (entries.has(entry.fileName)) {
        throw new SignatureFault(`has ${entry.fileName} twice`);
      }
      entries.set(entry.fileName, await buffer(await zip.openReadStreamPromise(entry)));
    }
  } catch (error) {
    if (error instanceof SignatureFault) {
      throw error;
    }
    throw new SignatureFault(`cannot be read: ${(error as Error).message}`);
  }
  return entries;
}

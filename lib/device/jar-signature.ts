import { createHash, type X509Certificate } from "node:crypto";
import { SignatureFault, verifyDetached, type Anchors } from "./cms.ts";
import { readZip } from "./zip.ts";

const MANIFEST = "META-INF/MANIFEST.MF";
/** What a signature itself is made of, and so cannot cover (JAR File Specification, "Signed JAR file"). */
const OF_A_SIGNATURE = /^META-INF\/(?:MANIFEST\.MF|SIG-[^/]*|[^/]*\.(?:SF|RSA|DSA|EC))$/i;

const DIGESTS = [
  ["SHA-256-Digest", "sha256"],
  ["SHA-384-Digest", "sha384"],
  ["SHA-512-Digest", "sha512"],
] as const;

/**
 * Checks the signature of a zip as jarsigner makes it (JAR File Specification, "Signed JAR file"), more
 * strictly than `jarsigner -verify` does: one signer; every file signed, and every signed file there; a
 * certificate for code signing that leads to one of the anchors, valid when it signed. Gives the entries and
 * the signer; throws a SignatureFault that goes on after "the zip …".
 */
export async function verifyJar(
  bytes: Uint8Array,
  anchors: Anchors,
  timeAnchors: Anchors = anchors,
  now = new Date(),
): Promise<{ entries: ReadonlyMap<string, Uint8Array>; signer: X509Certificate }> {
  const entries = await readZip(bytes);
  const signatures = [...entries.keys()].filter((name) => /^META-INF\/[^/]*\.SF$/i.test(name));
  if (signatures.length === 0) {
    throw new SignatureFault("is not signed");
  }
  if (signatures.length > 1) {
    throw new SignatureFault(`has ${signatures.length} signatures, not one`);
  }
  const file = entries.get(signatures[0]!)!;
  const blocks = ["RSA", "EC", "DSA"].flatMap(
    (kind) => entries.get(signatures[0]!.replace(/SF$/i, kind)) ?? [],
  );
  const manifest = entries.get(MANIFEST);
  if (blocks.length !== 1 || manifest === undefined) {
    throw new SignatureFault("has a signature that is not whole");
  }
  const signer = await verifyDetached(blocks[0]!, file, anchors, timeAnchors, now);
  const head = sectionsOf(file)[0]!;
  const covers = DIGESTS.find(([name]) => head.has(`${name}-Manifest`));
  if (covers === undefined || head.get(`${covers[0]}-Manifest`) !== digest(covers[1], manifest)) {
    throw new SignatureFault("has a list of files that is not the signed one");
  }
  checkFiles(entries, manifest);
  return { entries, signer };
}

function checkFiles(entries: ReadonlyMap<string, Uint8Array>, manifest: Uint8Array): void {
  const listed = new Set<string>();
  for (const section of sectionsOf(manifest).slice(1)) {
    const name = section.get("Name");
    if (name === undefined || listed.has(name)) {
      throw new SignatureFault("has a list of files that is not plain");
    }
    listed.add(name);
    const bytes = entries.get(name);
    if (bytes === undefined) {
      throw new SignatureFault(`lacks ${name}, which was signed`);
    }
    const known = DIGESTS.find(([header]) => section.has(header));
    if (known === undefined || section.get(known[0]) !== digest(known[1], bytes)) {
      throw new SignatureFault(`holds another ${name} than was signed`);
    }
  }
  for (const name of entries.keys()) {
    if (!listed.has(name) && !OF_A_SIGNATURE.test(name)) {
      throw new SignatureFault(`holds ${name}, which is not signed`);
    }
  }
}

/**
 * The sections of a manifest or a signature file: a line that begins with a blank goes on from the one
 * before.
 */
function sectionsOf(bytes: Uint8Array): Map<string, string>[] {
  const text = new TextDecoder()
    .decode(bytes)
    .replace(/\r\n|\r/g, "\n")
    .replaceAll("\n ", "");
  return text
    .split(/\n{2,}/)
    .map((part, index) => {
      const section = new Map<string, string>();
      for (const line of part.split("\n").filter((one) => one !== "")) {
        const colon = line.indexOf(": ");
        if (colon <= 0 || section.has(line.slice(0, colon))) {
          throw new SignatureFault("has a list of files that is not plain");
        }
        section.set(line.slice(0, colon), line.slice(colon + 2));
      }
      return { section, index };
    })
    .filter(({ section, index }) => index === 0 || section.size > 0)
    .map(({ section }) => section);
}

function digest(hash: string, bytes: Uint8Array): string {
  return createHash(hash).update(bytes).digest("base64");
}

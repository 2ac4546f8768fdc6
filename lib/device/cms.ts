import { createHash, verify, X509Certificate } from "node:crypto";
import type { SignerInfo } from "@peculiar/asn1-cms";
import { loadX509 } from "../pki/keypair.ts";

/** Why a signature does not count, as the rest of a sentence. */
export class SignatureFault extends Error {}

/** What a certificate is for: object identifiers of the extended key usage (RFC 5280, 4.2.1.12). */
const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";

const HASHES: ReadonlyMap<string, string> = new Map([
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
]);
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const TIME_STAMP_TOKEN = "1.2.840.113549.1.9.16.2.14";
const TIME_STAMP_INFO = "1.2.840.113549.1.9.16.1.4";

/** Certificates that a chain may end at. */
export type Anchors = readonly X509Certificate[];

/**
 * Checks a detached CMS signature (RFC 5652) of some content by one signer, whose certificate must be for
 * code signing and lead to one of the anchors. It must have been valid when it signed: at the time of a
 * trusted timestamp (RFC 3161, checked against `timeAnchors`), else now. Gives the signer's certificate;
 * throws a SignatureFault. RSA (PKCS #1 v1.5) and ECDSA with SHA-2 are known; whether a certificate was
 * revoked is not asked.
 */
export async function verifyDetached(
  signature: Uint8Array,
  content: Uint8Array,
  anchors: Anchors,
  timeAnchors: Anchors,
  now: Date,
): Promise<X509Certificate> {
  const signed = await readSigned(signature);
  const { signer, certificate } = verifySigner(signed, content);
  const token = signer.unsignedAttrs?.find(({ attrType }) => attrType === TIME_STAMP_TOKEN)?.attrValues[0];
  const at =
    token === undefined
      ? now
      : await timeOf(new Uint8Array(token), Buffer.from(signer.signature.buffer), timeAnchors, now);
  checkChain(certificate, signed.certificates, anchors, CODE_SIGNING, at);
  return certificate;
}

interface Signed {
  readonly signers: readonly SignerInfo[];
  /**
   * DER of the signed attributes of the first signer, as the SET that is signed (RFC 5652, 5.4), or empty.
   */
  readonly attributes: Uint8Array;
  readonly certificates: readonly X509Certificate[];
  readonly contentType: string;
  readonly content: Uint8Array | undefined;
}

async function readSigned(der: Uint8Array): Promise<Signed> {
  await loadX509();
  const { ContentInfo, SignedData, id_signedData } = await import("@peculiar/asn1-cms");
  const { AsnConvert } = await import("@peculiar/asn1-schema");
  try {
    const info = AsnConvert.parse(der, ContentInfo);
    if (info.contentType !== id_signedData) {
      throw new SignatureFault("is no signature");
    }
    const { signerInfos, certificates, encapContentInfo } = AsnConvert.parse(info.content, SignedData);
    const content = encapContentInfo.eContent?.single?.buffer;
    const attributes =
      [...signerInfos][0]?.signedAttrs?.map((one) => Buffer.from(AsnConvert.serialize(one))) ?? [];
    return {
      signers: [...signerInfos],
      attributes: attributes.length === 0 ? new Uint8Array() : setOf(attributes),
      contentType: encapContentInfo.eContentType,
      content: content === undefined ? undefined : new Uint8Array(content),
      certificates: [...(certificates ?? [])].flatMap(({ certificate }) =>
        certificate === undefined
          ? []
          : [new X509Certificate(Buffer.from(AsnConvert.serialize(certificate)))],
      ),
    };
  } catch (error) {
    if (error instanceof SignatureFault) {
      throw error;
    }
    throw new SignatureFault("cannot be read: its signature is damaged");
  }
}

/** The one signer of a content, whose signature is its certificate's own. */
function verifySigner(
  { signers, attributes: signedAttributes, certificates, contentType }: Signed,
  content: Uint8Array,
): { signer: SignerInfo; certificate: X509Certificate } {
  const [signer, ...others] = signers;
  if (signer === undefined || others.length > 0) {
    throw new SignatureFault(`has ${signers.length} signers in one signature, not one`);
  }
  const named = signer.sid.issuerAndSerialNumber;
  const serial =
    named === undefined ? undefined : BigInt(`0x${Buffer.from(named.serialNumber).toString("hex")}`);
  const hash = HASHES.get(signer.digestAlgorithm.algorithm);
  if (hash === undefined) {
    throw new SignatureFault(
      `is signed by way of a digest that is not SHA-2 (${signer.digestAlgorithm.algorithm})`,
    );
  }
  const attributes = signer.signedAttrs ?? [];
  let text = content;
  if (attributes.length > 0) {
    const one = (type: string): Buffer | undefined => {
      const found = attributes.filter(({ attrType }) => attrType === type);
      return found.length === 1 && found[0]!.attrValues.length === 1
        ? Buffer.from(found[0]!.attrValues[0]!)
        : undefined;
    };
    const digest = createHash(hash).update(content).digest();
    // An OCTET STRING of the length of a digest has a head of two bytes.
    if (!one(MESSAGE_DIGEST)?.equals(Buffer.concat([Buffer.from([0x04, digest.length]), digest]))) {
      throw new SignatureFault("is not what was signed");
    }
    if (one(CONTENT_TYPE)?.subarray(2).equals(objectIdentifier(contentType)) !== true) {
      throw new SignatureFault("is signed as something else");
    }
    text = signedAttributes;
  }
  const certificate = certificates.find(
    (one) => BigInt(`0x${one.serialNumber}`) === serial && isSignedBy(one, hash, text, signer),
  );
  if (certificate === undefined) {
    throw new SignatureFault("is not what was signed");
  }
  return { signer, certificate };
}

function isSignedBy(
  certificate: X509Certificate,
  hash: string,
  text: Uint8Array,
  signer: SignerInfo,
): boolean {
  try {
    return verify(hash, text, certificate.publicKey, Buffer.from(signer.signature.buffer));
  } catch {
    return false;
  }
}

/** A SET of elements that are DER already (X.690, 8.12). */
function setOf(elements: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(elements);
  if (content.length < 0x80) {
    return Buffer.concat([Buffer.from([0x31, content.length]), content]);
  }
  const length = Buffer.from(
    content.length.toString(16).padStart(content.length > 0xffff ? 6 : content.length > 0xff ? 4 : 2, "0"),
    "hex",
  );
  return Buffer.concat([Buffer.from([0x31, 0x80 | length.length]), length, content]);
}

/** The content of an OBJECT IDENTIFIER (X.690, 8.19). */
function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return Buffer.from(
    [first * 40 + second, ...rest].flatMap((arc) => {
      const bytes = [arc & 0x7f];
      for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
        bytes.unshift((left & 0x7f) | 0x80);
      }
      return bytes;
    }),
  );
}

/** The time that a trusted timestamp gives to some bytes (RFC 3161). */
async function timeOf(token: Uint8Array, stamped: Buffer, anchors: Anchors, now: Date): Promise<Date> {
  const signed = await readSigned(token);
  if (signed.contentType !== TIME_STAMP_INFO || signed.content === undefined) {
    throw new SignatureFault("has a timestamp that is none");
  }
  const { certificate } = verifySigner(signed, signed.content);
  const { fromBER, GeneralizedTime, ObjectIdentifier, OctetString, Sequence } = await import("asn1js");
  const info = fromBER(signed.content).result;
  const fields = info instanceof Sequence ? info.valueBlock.value : [];
  const [algorithm, imprint] = fields[2] instanceof Sequence ? fields[2].valueBlock.value : [];
  const name = algorithm instanceof Sequence ? algorithm.valueBlock.value[0] : undefined;
  const time = fields[4];
  const hash = name instanceof ObjectIdentifier ? HASHES.get(name.valueBlock.toString()) : undefined;
  if (hash === undefined || !(imprint instanceof OctetString) || !(time instanceof GeneralizedTime)) {
    throw new SignatureFault("has a timestamp that cannot be read");
  }
  if (!createHash(hash).update(stamped).digest().equals(Buffer.from(imprint.valueBlock.valueHexView))) {
    throw new SignatureFault("has the timestamp of something else");
  }
  const at = time.toDate();
  if (at > now) {
    throw new SignatureFault("has a timestamp of the future");
  }
  checkChain(certificate, signed.certificates, anchors, TIME_STAMPING, at);
  return at;
}

/**
 * Follows a certificate up to an anchor; each on the way must be one that may sign the one before, and valid
 * at that time.
 */
function checkChain(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  anchors: Anchors,
  purpose: string,
  at: Date,
): void {
  const subject = subjectLine(leaf);
  if (!(leaf.keyUsage as readonly string[] | undefined)?.includes(purpose)) {
    throw new SignatureFault(
      `is signed by ${subject}, whose certificate is not for ${purpose === CODE_SIGNING ? "code signing" : "timestamps"}`,
    );
  }
  let current = leaf;
  for (let depth = 0; depth < 10; depth++) {
    if (at < new Date(current.validFrom) || at > new Date(current.validTo)) {
      throw new SignatureFault(
        `is signed by ${subject}, by a certificate that was not valid at ${at.toISOString()} (${current.validFrom} to ${current.validTo})`,
      );
    }
    if (anchors.some((anchor) => anchor.fingerprint256 === current.fingerprint256)) {
      return;
    }
    const mayIssue = (issuer: X509Certificate): boolean =>
      issuer.ca &&
      issuer.fingerprint256 !== current.fingerprint256 &&
      current.checkIssued(issuer) &&
      current.verify(issuer.publicKey);
    if (anchors.some((anchor) => mayIssue(anchor) && at <= new Date(anchor.validTo))) {
      return;
    }
    const issuer = others.find(mayIssue);
    if (issuer === undefined) {
      break;
    }
    current = issuer;
  }
  throw new SignatureFault(
    `is signed by ${subject}, whom nobody vouches for (SHA-256 ${leaf.fingerprint256})`,
  );
}

/** `CN=…, O=…` */
export function subjectLine(certificate: X509Certificate): string {
  return certificate.subject.split("\n").reverse().join(", ");
}

import { createHash, createPublicKey, randomBytes, X509Certificate } from "node:crypto";
import { createKey, loadX509, signingPair } from "../device/keypair.ts";

/** A certificate authority: its PKCS#8 key and its self-signed certificate, both PEM. */
export interface Ca {
  readonly key: string;
  readonly certificate: string;
}

const SIGNING = { name: "ECDSA", hash: "SHA-256" };
/** P-256, P-384 and P-521 by the names that OpenSSL has for them. */
const CURVES = ["prime256v1", "secp384r1", "secp521r1"];
/** Where AWS IoT's own certificates end. */
const NOT_AFTER = new Date("2049-12-31T23:59:59Z");

/** A new sandbox CA on P-256. Its name says SANDBOX wherever a certificate is looked at. */
export async function createCa(): Promise<Ca> {
  const x509 = await loadX509();
  const key = createKey();
  const keys = await signingPair(key);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: "O=DosPesos SANDBOX, CN=DosPesos SANDBOX CA",
    notBefore: new Date(),
    notAfter: NOT_AFTER,
    signingAlgorithm: SIGNING,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { key, certificate: `${certificate.toString("pem")}\n` };
}

/** What a certificate is made for: a public key (DER, SubjectPublicKeyInfo) and a subject in the form of RFC 4514. */
export interface CertificateRequest {
  readonly publicKey: Buffer;
  readonly subject: string;
}

/**
 * What a PKCS#10 request asks for. Throws an Error that says what is wrong: not a request, a signature that does not
 * match, or a key that AWS IoT refuses (https://docs.aws.amazon.com/iot/latest/apireference/API_CreateCertificateFromCsr.html).
 */
export async function readCsr(csrPem: string): Promise<CertificateRequest> {
  const { Pkcs10CertificateRequest } = await loadX509();
  const csr = new Pkcs10CertificateRequest(csrPem);
  const publicKey = Buffer.from(csr.publicKey.rawData);
  const key = createPublicKey({ key: publicKey, format: "der", type: "spki" });
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  const accepted = namedCurve === undefined ? (modulusLength ?? 0) >= 2048 : CURVES.includes(namedCurve);
  if (!accepted) throw new Error("The key must be RSA of at least 2048 bits or EC on P-256, P-384 or P-521");
  if (!(await csr.verify())) throw new Error("The signature does not match the key");
  return { publicKey, subject: csr.subject === "" ? "CN=AWS IoT Certificate" : csr.subject };
}

/** A client certificate as AWS IoT issues them, signed by the sandbox CA, as PEM. */
export async function issueCertificate(ca: Ca, request: CertificateRequest): Promise<string> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(ca.certificate);
  const { privateKey } = await signingPair(ca.key);
  const publicKey = new x509.PublicKey(request.publicKey);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: request.subject,
    issuer: issuer.subjectName,
    notBefore: new Date(),
    notAfter: NOT_AFTER,
    signingAlgorithm: SIGNING,
    publicKey,
    signingKey: privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

/** The id that AWS IoT gives a certificate: the SHA-256 of its DER in lower-case hex. */
export function certificateId(pem: string): string {
  return createHash("sha256").update(new X509Certificate(pem).raw).digest("hex");
}

/** 160 random bits, never negative as a DER integer (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(20);
  bytes[0] = 0x40 | (bytes[0]! & 0x3f);
  return bytes.toString("hex");
}

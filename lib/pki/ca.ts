import { createHash, randomBytes, type webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { createKey, loadX509, signingPair } from "./keypair.ts";

/** A certificate authority: its PKCS#8 key and its self-signed certificate, both PEM. */
export interface Ca {
  readonly key: string;
  readonly certificate: string;
}

const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const CURVES = ["P-256", "P-384", "P-521"];
/** Where AWS IoT's own certificates end. */
const NOT_AFTER = new Date("2049-12-31T23:59:59Z");

/** A new CA on P-256. Its name says SANDBOX wherever a certificate is looked at. */
export async function createCa(commonName = "DosPesos SANDBOX CA"): Promise<Ca> {
  const x509 = await loadX509();
  const key = createKey();
  const keys = await signingPair(key);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: subject(x509, commonName),
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

/**
 * What a certificate is made for: a public key (DER, SubjectPublicKeyInfo) and a subject in the form of RFC
 * 4514.
 */
export interface CertificateRequest {
  readonly publicKey: Buffer;
  readonly subject: string;
}

/**
 * What a PKCS#10 request asks for. Throws an Error that says what is wrong: not a request, a signature that
 * does not match, or a key that AWS IoT refuses
 * (https://docs.aws.amazon.com/iot/latest/apireference/API_CreateCertificateFromCsr.html).
 */
export async function readCsr(csrPem: string): Promise<CertificateRequest> {
  const { Pkcs10CertificateRequest } = await loadX509();
  const csr = new Pkcs10CertificateRequest(csrPem);
  const publicKey = Buffer.from(csr.publicKey.rawData);
  const { namedCurve, modulusLength } = csr.publicKey.algorithm as Partial<
    webcrypto.EcKeyAlgorithm & webcrypto.RsaKeyAlgorithm
  >;
  const accepted = namedCurve === undefined ? (modulusLength ?? 0) >= 2048 : CURVES.includes(namedCurve);
  if (!accepted) {
    throw new Error("The key must be RSA of at least 2048 bits or EC on P-256, P-384 or P-521");
  }
  if (!(await csr.verify())) {
    throw new Error("The signature does not match the key");
  }
  return { publicKey, subject: csr.subject === "" ? "CN=AWS IoT Certificate" : csr.subject };
}

/** What of a CA is the same for each certificate that it signs. */
interface Signer {
  readonly subjectName: InstanceType<X509["Name"]>;
  readonly identifier: InstanceType<X509["AuthorityKeyIdentifierExtension"]>;
  readonly key: webcrypto.CryptoKey;
}
type X509 = Awaited<ReturnType<typeof loadX509>>;

/** Parsed once: an account issues thousands of certificates. */
const signers = new WeakMap<Ca, Promise<Signer>>();

function signerOf(ca: Ca): Promise<Signer> {
  let signer = signers.get(ca);
  if (signer === undefined) {
    signer = parsedSigner(ca);
    signers.set(ca, signer);
  }
  return signer;
}

async function parsedSigner({ certificate, key }: Ca): Promise<Signer> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(certificate);
  return {
    subjectName: issuer.subjectName,
    identifier: await x509.AuthorityKeyIdentifierExtension.create(issuer),
    key: (await signingPair(key)).privateKey,
  };
}

/** A client certificate as AWS IoT issues them, signed by the sandbox CA, as PEM. */
export async function issueCertificate(ca: Ca, request: CertificateRequest): Promise<string> {
  const [x509, signer] = [await loadX509(), await signerOf(ca)];
  const publicKey = new x509.PublicKey(request.publicKey);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: request.subject,
    issuer: signer.subjectName,
    notBefore: new Date(),
    notAfter: NOT_AFTER,
    signingAlgorithm: SIGNING,
    publicKey,
    signingKey: signer.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      signer.identifier,
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

/** A server's identity: PEM of its key and of its certificate. */
export interface ServerIdentity {
  readonly key: string;
  readonly certificate: string;
}

/** A key and a server certificate for those hosts (names and IPv4 addresses), signed by the CA. */
export async function issueServer(ca: Ca, hosts: readonly string[]): Promise<ServerIdentity> {
  const [x509, signer] = [await loadX509(), await signerOf(ca)];
  const key = createKey();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: subject(x509, hosts[0] ?? "localhost"),
    issuer: signer.subjectName,
    // A device's clock that is a little behind is no reason to refuse.
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: NOT_AFTER,
    signingAlgorithm: SIGNING,
    publicKey: (await signingPair(key)).publicKey,
    signingKey: signer.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((host) => ({ type: isIP(host) === 0 ? "dns" : "ip", value: host })),
      ),
      signer.identifier,
    ],
  });
  return { key, certificate: `${certificate.toString("pem")}\n` };
}

/** A common name has at most 64 characters (RFC 5280, upper bounds). */
function subject(x509: X509, commonName: string): string {
  return new x509.Name([
    { O: [{ utf8String: "DosPesos SANDBOX" }] },
    { CN: [{ utf8String: commonName.slice(0, 64) }] },
  ]).toString();
}

/** The id that AWS IoT gives a certificate: the SHA-256 of its DER in lower-case hex. */
export function certificateId(pem: string): string {
  const body = pem.slice(pem.indexOf("\n"), pem.lastIndexOf("\n-----END"));
  return createHash("sha256").update(Buffer.from(body, "base64")).digest("hex");
}

/** 160 random bits, never negative as a DER integer (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(20);
  bytes[0] = 0x40 | (bytes[0]! & 0x3f);
  return bytes.toString("hex");
}

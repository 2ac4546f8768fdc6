import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  webcrypto,
  X509Certificate,
} from "node:crypto";
import { ProblemError } from "../problem/index.ts";

/**
 * The X.509 library, loaded when it is first needed. It registers its algorithms with a container that looks
 * for class metadata at load time; none of those classes has any, so a look-up that finds nothing is all that
 * it needs.
 */
export async function loadX509(): Promise<typeof import("@peculiar/x509")> {
  if (!("getMetadata" in Reflect)) {
    const nothing = (): undefined => undefined;
    Object.assign(Reflect, { getMetadata: nothing, getOwnMetadata: nothing, defineMetadata: nothing });
  }
  return await import("@peculiar/x509");
}

/**
 * A new EC key on P-256 as PKCS#8 PEM. AWS IoT accepts P-256, P-384, P-521 and RSA of at least 2,048 bits.
 */
export function createKey(): string {
  return generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  }).privateKey;
}

/**
 * Throws a ProblemError (exit 2) that names the file, unless the PEM is a private key on P-256 that is not
 * encrypted.
 */
export function checkKey(keyPem: string, file: string): void {
  let found: string;
  try {
    const { asymmetricKeyType = "unknown", asymmetricKeyDetails } = createPrivateKey(keyPem);
    if (asymmetricKeyDetails?.namedCurve === "prime256v1") {
      return;
    }
    found = `a key of the type ${[asymmetricKeyType, asymmetricKeyDetails?.namedCurve].filter(Boolean).join(" ")}`;
  } catch {
    found = keyPem.includes("ENCRYPTED") ? "an encrypted key" : "no private key";
  }
  throw new ProblemError([
    {
      code: "DP604",
      location: { file },
      what: `this is ${found}`,
      why: "a certificate can only be asked for with a key on P-256 (PKCS#8 or SEC1 PEM, not encrypted)",
      fix: "put such a key here, or move the file away: then a new key is made, and with it a new certificate",
    },
  ]);
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

interface SigningPair {
  readonly privateKey: webcrypto.CryptoKey;
  readonly publicKey: webcrypto.CryptoKey;
}

/** A P-256 private key as a WebCrypto pair for signing. Throws where the PEM is not such a key. */
export async function signingPair(keyPem: string): Promise<SigningPair> {
  const key = createPrivateKey(keyPem);
  const jwk = createPublicKey(key).export({ format: "jwk" });
  const der = key.export({ type: "pkcs8", format: "der" });
  return {
    privateKey: await webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]),
    publicKey: await webcrypto.subtle.importKey("jwk", jwk, ALGORITHM, true, ["verify"]),
  };
}

/**
 * A certificate signing request (PKCS#10, RFC 2986) for the key, with `commonName` as its only subject
 * attribute, as PEM. An ECDSA signature is random: two requests for one key differ, so a request is made once
 * and kept.
 */
export async function createCsr(keyPem: string, commonName: string): Promise<string> {
  return await csrOf(await signingPair(keyPem), commonName);
}

/** A new key on P-256 as PKCS#8 PEM, and a request for it as createCsr() makes it. */
export async function createKeyAndCsr(commonName: string): Promise<{ key: string; csr: string }> {
  const { subtle } = webcrypto;
  const pair = await subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const der = Buffer.from(await subtle.exportKey("pkcs8", pair.privateKey)).toString("base64");
  const lines = der.match(/.{1,64}/g)!.join("\n");
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`,
    csr: await csrOf(pair, commonName),
  };
}

async function csrOf(keys: SigningPair, commonName: string): Promise<string> {
  const { Name, Pkcs10CertificateRequestGenerator } = await loadX509();
  const csr = await Pkcs10CertificateRequestGenerator.create({
    name: new Name([{ CN: [{ utf8String: commonName }] }]),
    keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  return `${csr.toString("pem")}\n`;
}

/** The public key that a request asks a certificate for: DER of its SubjectPublicKeyInfo. */
export async function requestedKey(csrPem: string): Promise<Buffer> {
  const { Pkcs10CertificateRequest } = await loadX509();
  return Buffer.from(new Pkcs10CertificateRequest(csrPem).publicKey.rawData);
}

/** Whether a text is a request for a certificate, signed by a key on P-256 that it asks for. */
export async function isRequest(csrPem: string): Promise<boolean> {
  const { Pkcs10CertificateRequest } = await loadX509();
  try {
    const csr = new Pkcs10CertificateRequest(csrPem);
    const { asymmetricKeyDetails } = createPublicKey({
      key: Buffer.from(csr.publicKey.rawData),
      format: "der",
      type: "spki",
    });
    return asymmetricKeyDetails?.namedCurve === "prime256v1" && (await csr.verify());
  } catch {
    return false;
  }
}

/**
 * Whether the request asks for this key and was signed by it. A text that is no request belongs to no key.
 */
export async function csrBelongsTo(csrPem: string, keyPem: string): Promise<boolean> {
  const { Pkcs10CertificateRequest } = await loadX509();
  const wanted = createPublicKey(keyPem).export({ type: "spki", format: "der" });
  try {
    const csr = new Pkcs10CertificateRequest(csrPem);
    return wanted.equals(Buffer.from(csr.publicKey.rawData)) && (await csr.verify());
  } catch {
    return false;
  }
}

/** The key that a certificate (PEM) was issued for: DER of its SubjectPublicKeyInfo. */
export function publicKeyOf(certificatePem: string): Buffer {
  return new X509Certificate(certificatePem).publicKey.export({ type: "spki", format: "der" });
}

/** Whether the certificate was issued for this key. A text that is no certificate belongs to no key. */
export function certificateBelongsTo(certificatePem: string, keyPem: string): boolean {
  const key = createPrivateKey(keyPem);
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(key);
  } catch {
    return false;
  }
}

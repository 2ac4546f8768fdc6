import { createHash, X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { ProblemError, shown, type Problem, type Code } from "../problem/index.ts";
import { SignatureFault, subjectLine } from "./cms.ts";
import { verifyJar } from "./jar-signature.ts";
import { nucleusUrl } from "./nucleus.ts";
import { readZip } from "./zip.ts";

/**
 * The organisations that Amazon's certificates for code signing are made out to. The first one signs AWS's
 * other Java archives (opensearch-project/opensearch-build, pull request 3894). Nobody here has seen the
 * signature of a nucleus zip yet.
 */
const AMAZON = [
  "Amazon Web Services, Inc.",
  "Amazon.com Services LLC",
  "Amazon.com Services, Inc.",
  "Amazon.com, Inc.",
];

/** What a nucleus zip must be. */
export interface WantedNucleus {
  /** Its name in messages. */
  readonly file: string;
  readonly version: string;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /**
   * Certificates (PEM) of who may sign it, or of their CAs. Undefined: Amazon, vouched for by a CA that Node
   * trusts.
   */
  readonly signers?: string | undefined;
}

/**
 * Throws a ProblemError (exit 1) with all that is wrong with a nucleus zip: another digest than the pinned
 * one, no signature that counts (see verifyJar), another version inside.
 */
export async function checkNucleus(
  bytes: Uint8Array,
  { file, version, sha256, signers }: WantedNucleus,
): Promise<void> {
  const problems: Problem[] = [];
  const refuse = (code: Code, what: string, fix: string): void => {
    problems.push({ code, location: { file }, what, why: "a device would run it as root", fix });
  };
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256) {
    refuse(
      "DP605",
      `the zip has sha256 ${found}, not ${sha256}`,
      "it is cut, damaged or forged: get it again, and do not use this one",
    );
  }
  try {
    await verifySigner(bytes, signers);
  } catch (error) {
    if (!(error instanceof SignatureFault)) {
      throw error;
    }
    refuse(
      "DP606",
      `the zip ${error.message}`,
      "get it from AWS again; if somebody else is to be trusted, put their certificate into a file and name it: signer = FILE.pem in [greengrass]",
    );
  }
  const named = await versionIn(bytes);
  if (named !== undefined && named !== version) {
    refuse(
      "DP607",
      `the zip holds nucleus ${shown(named)}, not ${version}`,
      `get ${nucleusUrl(version)}, or set version = ${named} in [greengrass]`,
    );
  }
  if (problems.length > 0) {
    throw new ProblemError(problems);
  }
}

/** Node's own list of CAs, read once. */
let trusted: X509Certificate[] | undefined;

async function verifySigner(bytes: Uint8Array, signers: string | undefined): Promise<void> {
  const known = (trusted ??= rootCertificates.map((pem) => new X509Certificate(pem)));
  if (signers !== undefined) {
    const anchors = (signers.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
      (pem) => new X509Certificate(pem),
    );
    await verifyJar(bytes, anchors, [...anchors, ...known]);
    return;
  }
  const { signer } = await verifyJar(bytes, known);
  const { O: organisation } = signer.toLegacyObject().subject as { readonly O?: string };
  if (organisation === undefined || !AMAZON.includes(organisation)) {
    throw new SignatureFault(
      `is signed by ${subjectLine(signer)}, not by Amazon (SHA-256 ${signer.fingerprint256})`,
    );
  }
}

/**
 * The version that the zip says of itself, or undefined where it is no zip of a nucleus; that is told as a
 * problem of its own.
 */
async function versionIn(bytes: Uint8Array): Promise<string | undefined> {
  try {
    const recipe = (await readZip(bytes)).get("conf/recipe.yaml");
    return recipe === undefined
      ? "none"
      : (/^ComponentVersion: *['"]?([^'"\s]*)/m.exec(new TextDecoder().decode(recipe))?.[1] ?? "none");
  } catch (error) {
    if (error instanceof SignatureFault) {
      return undefined;
    }
    throw error;
  }
}

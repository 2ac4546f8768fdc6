import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a simulated core takes from its bundle, as the real one does. */
export interface CoreBundle {
  readonly name: string;
  readonly version: string;
  readonly dataEndpoint: string;
  readonly certificate: string;
  readonly certificateId: string;
  readonly key: string;
  /** PEM of what AWS's servers, and here the sandbox's, verify against. */
  readonly rootCa: string;
}

/** Reads `edge/out/<core>/`. Throws an Error that names what is missing in it. */
export function readCoreBundle(folder: string): CoreBundle {
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const config = read("config.yaml");
  const certificate = read("device.pem.crt");
  return {
    name: configValue(config, "thingName"),
    version: configValue(config, "version"),
    dataEndpoint: configValue(config, "iotDataEndpoint"),
    certificate,
    certificateId: createHash("sha256").update(new X509Certificate(certificate).raw).digest("hex"),
    key: read("private.pem.key"),
    rootCa: read("SandboxCA.pem"),
  };
}

/**
 * A text of our own config.yaml, where each stands quoted on a line of its own. Throws an Error where it does
 * not.
 */
export function configValue(config: string, key: string): string {
  const [, text] = new RegExp(`^\\s*${key}: *("(?:[^"\\\\]|\\\\.)*")\\s*$`, "m").exec(config) ?? [];
  if (text === undefined) {
    throw new Error(`config.yaml has no ${key}`);
  }
  return JSON.parse(text) as string;
}

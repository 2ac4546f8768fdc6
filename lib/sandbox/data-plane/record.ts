import { createHmac, randomBytes } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { replaceFile } from "../../file/index.ts";
import * as v from "valibot";

/**
 * Where a sandbox that runs says how to reach it, beside the account's file. A kit made in the sandbox reads
 * it, too.
 */
const RECORD_FILE = "data-plane.json";

/**
 * The path at which a sandbox proves that it knows the token of its record, so that another program on its port is not
 * taken for it: `?of=NONCE` is answered by an HMAC, and the token itself is told to nobody.
 */
const PROOF_PATH = "/-/dospesos/proof?of=";

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const loopback = v.strictObject({ host: v.literal("127.0.0.1"), port });
const record = v.strictObject({
  sandbox: v.literal(true),
  endpoint: v.pipe(v.string(), v.regex(/^http:\/\/127\.0\.0\.1:\d+$/)), // of AWS's APIs
  region: v.string(),
  iot: loopback, // MQTT of IoT Core
  discovery: loopback, // Greengrass discovery
  token: v.string(),
});

export type DataPlaneRecord = v.InferOutput<typeof record>;

/** Writes the record for who looks for the sandbox in this folder; only its owner can read it. */
export function writeRecord(folder: string, value: DataPlaneRecord): void {
  const file = join(folder, RECORD_FILE);
  replaceFile(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}

export function removeRecord(folder: string): void {
  rmSync(join(folder, RECORD_FILE), { force: true });
}

/**
 * The sandbox that runs now on the account in this folder, or undefined. A record that a killed sandbox left
 * behind is not believed.
 */
export async function runningSandbox(folder: string): Promise<DataPlaneRecord | undefined> {
  let found: DataPlaneRecord;
  try {
    found = v.parse(record, JSON.parse(readFileSync(join(folder, RECORD_FILE), "utf8")));
  } catch {
    return undefined;
  }
  return (await proves(found.endpoint, found.token)) ? found : undefined;
}

/** What a sandbox answers at that URL; undefined where the URL asks for no proof. */
export function proofFor(url: string | undefined, token: string): string | undefined {
  const nonce = url?.startsWith(PROOF_PATH) === true ? url.slice(PROOF_PATH.length) : "";
  return /^[0-9a-f]{32}$/.test(nonce) ? createHmac("sha256", token).update(nonce).digest("hex") : undefined;
}

function proves(endpoint: string, token: string): Promise<boolean> {
  const path = PROOF_PATH + randomBytes(16).toString("hex");
  return new Promise((resolve) => {
    const request = get(endpoint + path, { timeout: 3000, agent: false }, (response) => {
      let text = "";
      response
        .setEncoding("utf8")
        .on("data", (piece: string) => {
          text += piece;
          if (text.length > 64) {
            response.destroy();
          }
        })
        .on("end", () => resolve(text === proofFor(path, token)))
        .on("error", () => resolve(false));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
    request.on("close", () => resolve(false));
  });
}

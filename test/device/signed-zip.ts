import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "../support/temp.ts";
import { zip } from "./zip.ts";

export const AMAZON = 'CN="Amazon Web Services, Inc.", O="Amazon Web Services, Inc."';
/** What the tests need to make signed zips. */
export const SIGNING_TOOLS = ["jarsigner", "keytool"];

/** A key store with a CA and signers that it vouches for, as Java's own tools make them. */
export class Signing {
  readonly folder = tempFolder("signing");

  #keytool(...words: string[]): string {
    return execFileSync("keytool", ["-keystore", "store", "-storepass", "changeit", ...words], {
      cwd: this.folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  }

  /** Makes a CA; gives its certificate. */
  authority(alias: string): string {
    this.#keytool(
      "-genkeypair",
      "-alias",
      alias,
      "-dname",
      `CN=${alias}`,
      "-keyalg",
      "EC",
      "-groupname",
      "secp256r1",
      "-ext",
      "bc:c",
      "-validity",
      "300",
    );
    return this.#keytool("-exportcert", "-rfc", "-alias", alias);
  }

  /** Makes a signer for 30 days. Without `by` it vouches for itself. */
  signer(alias: string, by?: string, { name = AMAZON, usage = "codeSigning", key = "RSA" } = {}): void {
    this.#keytool(
      "-genkeypair",
      "-alias",
      alias,
      "-dname",
      name,
      "-keyalg",
      key,
      "-validity",
      "30",
      "-ext",
      `eku=${usage}`,
      ...(by === undefined ? [] : ["-signer", by]),
    );
  }

  async sign(bytes: Uint8Array, alias: string, ...words: string[]): Promise<Buffer> {
    const file = join(this.folder, "signed.zip");
    writeFileSync(file, bytes);
    const child = spawn(
      "jarsigner",
      ["-keystore", "store", "-storepass", "changeit", ...words, file, alias],
      { cwd: this.folder, stdio: ["ignore", "pipe", "pipe"] },
    );
    let told = "";
    for (const pipe of [child.stdout, child.stderr]) {
      pipe.on("data", (piece) => {
        told += String(piece);
      });
    }
    const [exit] = (await once(child, "close")) as [number];
    if (exit !== 0) {
      throw new Error(`jarsigner: ${told}`);
    }
    return readFileSync(file);
  }
}

/**
 * The files of a nucleus zip, with something of a size in it that looks like random bytes and is always the
 * same.
 */
export function nucleusFiles(version = "2.16.0"): Record<string, string> {
  let state = 1;
  const noise = Array.from({ length: 20_000 }, () =>
    String.fromCharCode(32 + ((state = (state * 48_271) % 2_147_483_647) % 95)),
  ).join("");
  return {
    LICENSE: "Apache-2.0\n",
    "bin/loader": "#!/bin/sh\n",
    "bin/greengrass.service.template": "[Unit]\n",
    "conf/recipe.yaml": `---\nComponentName: aws.greengrass.Nucleus\nComponentVersion: '${version}'\n`,
    "lib/Greengrass.jar": noise,
  };
}

export const plainZip = (version?: string): Uint8Array => zip(nucleusFiles(version));

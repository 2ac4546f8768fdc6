import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../file/index.ts";
import { createCa, type Ca } from "../../pki/ca.ts";

/**
 * The CA that a core's broker is trusted by. A core makes it once and keeps it: its client devices have it
 * from discovery.
 */
export async function coreCa(home: string, core: string): Promise<Ca> {
  const [keyFile, certificateFile] = [join(home, "core-ca.key"), join(home, "core-ca.pem")];
  if (existsSync(keyFile) && existsSync(certificateFile)) {
    return { key: readFileSync(keyFile, "utf8"), certificate: readFileSync(certificateFile, "utf8") };
  }
  const ca = await createCa(`SANDBOX core CA of ${core}`);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  replaceFile(keyFile, ca.key, { mode: 0o600 });
  replaceFile(certificateFile, ca.certificate, { mode: 0o644 });
  return ca;
}

import { isRequest } from "../pki/keypair.ts";
import { failure } from "./ssh-failure.ts";
import type { Device } from "./device.ts";
import { ssh } from "./ssh.ts";

/**
 * Makes a private key (EC, P-256) on a device, unless it has one, and gives the request for its certificate
 * (PKCS#10, PEM). The key lies below /var/lib/dospesos, mode 0400, where only root can enter; setup.sh takes
 * it from there. Throws a ProblemError.
 */
export async function requestFrom(core: string, device: Device): Promise<string> {
  const { exit, stdout, stderr } = await ssh(
    device,
    {
      script: `umask 077
set -e
if [ "$(id -u)" = 0 ]; then sudo=; else sudo="sudo -n"; fi
$sudo sh -s <<'END'
umask 077
set -e
folder=/var/lib/dospesos/${core}
mkdir -p "$folder"
if [ ! -f "$folder/private.pem.key" ]; then
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$folder/private.pem.key.new" 2> /dev/null
  chmod 400 "$folder/private.pem.key.new"
  sync
  mv -f "$folder/private.pem.key.new" "$folder/private.pem.key"
  sync
fi
openssl req -new -sha256 -key "$folder/private.pem.key" -subj "/CN=${core}"
END
`,
    },
    { silence: 120_000 },
  );
  const request = /-----BEGIN CERTIFICATE REQUEST-----[^-]+-----END CERTIFICATE REQUEST-----/.exec(
    stdout,
  )?.[0];
  if (exit === 0 && request !== undefined && (await isRequest(request))) {
    return `${request}\n`;
  }
  const said = stderr.trim().split("\n").at(-1) ?? "";
  throw failure(
    device,
    `${core}: the device gives no request for a certificate${said === "" ? "" : `: ${said}`}`,
    "its key is made by openssl, as root",
    "see that openssl is installed there, and that you log in as root or as a user whom sudo asks for no password",
  );
}

import { failure } from "./ssh-failure.ts";
import { ssh } from "./ssh.ts";
import { FOLDER, lastLine, type Push, type LocalFile } from "./push-task.ts";

/**
 * AWS refuses requests whose time is further off than this (IAM User Guide, "Signature Version 4"), in
 * seconds.
 */
const CLOCKS_APART = 300;

export interface Found {
  /** How root's rights are had: by logging in as root, by sudo without or with a password. */
  readonly sudo: "root" | "free" | "interactive";
  /** Digests of whole files. */
  readonly has: ReadonlyMap<string, string>;
  /** Sizes and digests of half ones. */
  readonly parts: ReadonlyMap<string, { readonly size: number; readonly sha256: string }>;
}

/**
 * Looks at the device, and makes the folder that only its user can enter. Names hold letters, digits and . _
 * - only.
 */
export async function look({ core, device }: Push, files: readonly LocalFile[]): Promise<Found> {
  const { exit, stdout, stderr } = await ssh(
    device,
    {
      script: `umask 077
for name in awk gzip mv rm sha256sum tar wc; do command -v $name > /dev/null || echo "lacks $name"; done
mkdir -p ${FOLDER} && chmod 700 ${FOLDER} && cd ${FOLDER} || exit 1
sudo=
if [ "$(id -u)" = 0 ]; then echo "sudo root"
elif sudo -n true < /dev/null > /dev/null 2>&1; then echo "sudo free"; sudo="sudo -n"
else echo "sudo interactive"; sudo=false
fi
echo "clock $(date +%s)"
for file in ${files.map(({ name }) => name).join(" ")}; do
  kept=/var/lib/dospesos/${core}/$file
  if [ -f $file ]; then echo "has $file $(sha256sum < $file)"
  elif $sudo test -f $kept < /dev/null; then echo "has $file $($sudo cat $kept < /dev/null | sha256sum)"; fi
  if [ -f $file.part ]; then echo "part $file $(sha256sum < $file.part | awk '{ print $1 }') $(wc -c < $file.part)"; fi
done
`,
    },
    { silence: 60_000 },
  );
  const lines = stdout.split("\n").map((line) => line.trim().split(/\s+/));
  const of = (kind: string): string[][] =>
    lines.filter(([first]) => first === kind).map(([, ...rest]) => rest);
  const lacking = of("lacks").flat();
  if (lacking.length > 0) {
    throw failure(
      device,
      `${core}: commands are missing on the device: ${lacking.join(", ")}`,
      "the bundle is unpacked with them",
      "install the packages that bring them",
    );
  }
  const clock = Number(of("clock")[0]?.[0]);
  if (exit !== 0 || !Number.isFinite(clock)) {
    throw failure(
      device,
      `${core}: the device cannot be looked at: ${lastLine(stderr) || `exit code ${exit}`}`,
      "what is sent needs a folder in the user's home",
      `see that \`ssh ${device.host} sh -s\` works`,
    );
  }
  const apart = Math.round(clock - Date.now() / 1000);
  if (Math.abs(apart) > CLOCKS_APART) {
    throw failure(
      device,
      `${core}: the device's clock and this computer's are ${duration(Math.abs(apart))} apart`,
      "AWS refuses requests from another time",
      "put the wrong one right; on the device: sudo timedatectl set-ntp true",
    );
  }
  return {
    sudo: (of("sudo")[0]?.[0] ?? "interactive") as Found["sudo"],
    has: new Map(of("has").map(([name = "", sha256 = ""]) => [name, sha256])),
    parts: new Map(
      of("part")
        .filter(([, , size = ""]) => /^\d{1,15}$/.test(size))
        .map(([name = "", sha256 = "", size]) => [name, { size: Number(size), sha256 }]),
    ),
  };
}

function duration(seconds: number): string {
  const minutes = seconds / 60;
  if (minutes < 120) {
    return `${Math.round(minutes)} minutes`;
  }
  const hours = minutes / 60;
  return hours < 48 ? `${Math.round(hours)} hours` : `${Math.round(hours / 24)} days`;
}

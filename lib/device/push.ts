import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { basename } from "node:path";
import { Transform } from "node:stream";
import { ProblemError, type Problem } from "../problem/index.ts";
import { failure, ssh, type Device } from "./ssh.ts";

/** What goes to a device, and what is done with it there. */
export interface Push {
  readonly core: string;
  readonly device: Device;
  /** The bundle's archive on this machine. */
  readonly archive: string;
  /**
   * The zip of the nucleus, named greengrass-<version>.zip; undefined where the settings leave it to somebody
   * else.
   */
  readonly nucleus: string | undefined;
  /** Options for setup.sh. */
  readonly options: readonly string[];
  /** Tells how far it is, in a few words. */
  readonly tell: (what: string) => void;
}

/**
 * The folder on the device, below the home of the user who logs in, that what is sent lies in until it is
 * installed.
 */
const FOLDER = ".dospesos";
/**
 * AWS refuses requests whose time is further off than this (IAM User Guide, "Signature Version 4"), in
 * seconds.
 */
const CLOCKS_APART = 300;

/**
 * Brings a bundle to a device and runs its setup.sh there as root. What an earlier push has sent is not sent
 * again, and half a file is gone on with. Each file counts only when its digest is right, and gets its name
 * only then. What was sent is removed from the device in the end; after a failure the nucleus zip stays, so
 * that the next push need not send it. Throws a ProblemError.
 */
export async function push(push: Push): Promise<void> {
  const { core, device, archive, nucleus, tell } = push;
  tell(`connecting to ${device.host}`);
  const files = [archive, ...(nucleus === undefined ? [] : [nucleus])].map(localFile);
  const found = await look(push, files);
  for (const file of files) {
    if (found.has.get(file.name) !== file.sha256) {
      await send(push, file, found.parts.get(file.name));
    }
  }
  await unpack(push, files);
  let done = false;
  try {
    await install(push, found.sudo);
    done = true;
  } finally {
    if (!device.signal.aborted) {
      await clear(device, core, done);
    }
  }
}

interface LocalFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

function localFile(path: string): LocalFile {
  const bytes = readFileSync(path);
  return { path, name: basename(path), bytes, sha256: digest(bytes) };
}

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

interface Found {
  /** How root's rights are had: by logging in as root, by sudo without or with a password. */
  readonly sudo: "root" | "free" | "asks";
  /** Digests of whole files. */
  readonly has: ReadonlyMap<string, string>;
  /** Sizes and digests of half ones. */
  readonly parts: ReadonlyMap<string, { readonly size: number; readonly sha256: string }>;
}

/**
 * Looks at the device, and makes the folder that only its user can enter. Names hold letters, digits and . _
 * - only.
 */
async function look({ core, device }: Push, files: readonly LocalFile[]): Promise<Found> {
  const { exit, stdout, stderr } = await ssh(
    device,
    "sh -s",
    `umask 077
for name in awk gzip mv rm sha256sum tar wc; do command -v $name > /dev/null || echo "lacks $name"; done
mkdir -p ${FOLDER} && chmod 700 ${FOLDER} && cd ${FOLDER} || exit 1
sudo=
if [ "$(id -u)" = 0 ]; then echo "sudo root"
elif sudo -n true < /dev/null > /dev/null 2>&1; then echo "sudo free"; sudo="sudo -n"
else echo "sudo asks"; sudo=false
fi
echo "clock $(date +%s)"
for file in ${files.map(({ name }) => name).join(" ")}; do
  kept=/var/lib/dospesos/${core}/$file
  if [ -f $file ]; then echo "has $file $(sha256sum < $file)"
  elif $sudo test -f $kept < /dev/null; then echo "has $file $($sudo cat $kept < /dev/null | sha256sum)"; fi
  if [ -f $file.part ]; then echo "part $file $(sha256sum < $file.part | awk '{ print $1 }') $(wc -c < $file.part)"; fi
done
`,
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
    sudo: (of("sudo")[0]?.[0] ?? "asks") as Found["sudo"],
    has: new Map(of("has").map(([name = "", sha256 = ""]) => [name, sha256])),
    parts: new Map(
      of("part").map(([name = "", sha256 = "", size]) => [name, { size: Number(size), sha256 }]),
    ),
  };
}

/** Sends a file, or what is missing of it. */
async function send(
  { core, device, tell }: Push,
  file: LocalFile,
  part: { size: number; sha256: string } | undefined,
): Promise<void> {
  const { name, bytes, path } = file;
  const start =
    part !== undefined && part.size <= bytes.length && digest(bytes.subarray(0, part.size)) === part.sha256
      ? part.size
      : 0;
  let [sent, told] = [start, -1];
  const counted = new Transform({
    transform(piece: Buffer, _, next) {
      sent += piece.length;
      const percent = Math.floor((sent / bytes.length) * 20) * 5;
      if (percent > told) {
        tell(`${start > 0 ? "going on with" : "sending"} ${name}: ${(told = percent)} %`);
      }
      next(null, piece);
    },
  });
  const source = createReadStream(path, { start });
  source.on("error", (error) => counted.destroy(error));
  const { exit, stderr } = await ssh(
    device,
    `cat ${start > 0 ? ">>" : ">"} ${FOLDER}/${name}.part`,
    source.pipe(counted),
  );
  if (exit !== 0) {
    throw failure(
      device,
      `${core}: ${name} could not be sent: ${lastLine(stderr)}`,
      "the device must hold all of it",
      "free some space on the device, then push again: it goes on where it stopped",
    );
  }
}

/** Gives the files their names, if they are what was sent, and unpacks the bundle beside its place. */
async function unpack({ core, device }: Push, files: readonly LocalFile[]): Promise<void> {
  const { exit, stdout, stderr } = await ssh(
    device,
    "sh -s",
    `umask 077
set -e
cd ${FOLDER}
${files
  .map(
    ({ name, sha256 }) => `if [ -f ${name}.part ]; then
  case $(sha256sum < ${name}.part) in
    ${sha256}*) mv -f ${name}.part ${name} ;;
    *) rm -f ${name}.part; echo damaged ${name}; exit 1 ;;
  esac
fi`,
  )
  .join("\n")}
rm -rf ${core} ${core}.new
mkdir ${core}.new
tar xzpf ${core}.tar.gz -C ${core}.new
mv ${core}.new/${core} ${core}
rmdir ${core}.new
`,
  );
  const damaged = /^damaged (.*)$/m.exec(stdout)?.[1];
  if (exit === 0) {
    return;
  }
  throw failure(
    device,
    damaged === undefined
      ? `${core}: the bundle could not be unpacked: ${lastLine(stderr)}`
      : `${core}: ${damaged} did not arrive as it was sent`,
    "nothing of it was installed",
    "push again",
  );
}

async function install({ core, device, options, tell }: Push, sudo: Found["sudo"]): Promise<void> {
  if (sudo === "asks" && !device.asks) {
    throw new ProblemError([
      {
        code: "DP621",
        ...(device.place === undefined ? {} : { location: device.place }),
        what: `${core}: sudo on ${device.host} asks for a password`,
        why: "setup.sh runs as root, and nobody can be asked here",
        fix: `push ${core} alone, at a terminal; or let this user run sudo without a password`,
      },
    ]);
  }
  // It finds the nucleus zip beside its folder, or where an earlier run has kept it.
  const words = ["sh", `${FOLDER}/${core}/setup.sh`, ...options].join(" ");
  const asks = sudo === "asks";
  const { exit, stderr } = await ssh(
    device,
    asks ? `sudo ${words}` : sudo === "root" ? words : `sudo -n ${words}`,
    asks ? "terminal" : "nothing",
    (line) => tell(line.trim()),
  );
  if (exit === 0) {
    return;
  }
  throw new ProblemError(problemsOf(core, device, exit, stderr));
}

/**
 * What setup.sh tells on its stderr, as problems of this computer: it writes `error: …`, ` why: …` and ` fix:
 * …` lines.
 */
function problemsOf(core: string, { host, place }: Device, exit: number, stderr: string): Problem[] {
  const code = exit === 4 ? "DP625" : "DP622";
  const at = place === undefined ? {} : { location: place };
  const told = stderr
    .split(/^error: /m)
    .slice(1)
    .map((block): Problem => {
      const [what = "", ...rest] = block.split("\n");
      const line = (name: string): string | undefined =>
        rest.find((one) => one.startsWith(`  ${name}: `))?.slice(name.length + 4);
      const [why, fix] = [line("why"), line("fix")];
      return {
        code,
        ...at,
        what: `${core}: ${what}`,
        ...(why === undefined ? {} : { why }),
        ...(fix === undefined ? {} : { fix }),
      };
    });
  if (told.length > 0) {
    return told;
  }
  return [
    {
      code,
      ...at,
      what: `${core}: setup.sh on ${host} ended with exit code ${exit}${stderr.trim() === "" ? "" : `: ${lastLine(stderr)}`}`,
      why: "what it has done stays and is on record",
      fix: "put it right, then push again: it goes on where it stopped",
    },
  ];
}

/** Removes what was sent; the zip stays where it may be needed again. */
async function clear(device: Device, core: string, all: boolean): Promise<void> {
  await ssh(
    device,
    "sh -s",
    `cd ${FOLDER} || exit 0
rm -rf ${core} ${core}.new ${core}.tar.gz ${core}.tar.gz.part
${all ? "rm -f greengrass-*.zip greengrass-*.zip.part" : ""}
cd .. && rmdir ${FOLDER} 2> /dev/null || true
`,
  ).catch((error: unknown) => {
    if (!(error instanceof ProblemError) || all) {
      throw error;
    }
  });
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

function duration(seconds: number): string {
  return seconds < 7200
    ? `${Math.round(seconds / 60)} minutes`
    : seconds < 172_800
      ? `${Math.round(seconds / 3600)} hours`
      : `${Math.round(seconds / 86_400)} days`;
}

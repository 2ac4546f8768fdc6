import { createReadStream } from "node:fs";
import { Transform } from "node:stream";
import { digest, lastLine, FOLDER, type LocalFile, type Push } from "./push-task.ts";
import { failure } from "./ssh-failure.ts";
import { ssh } from "./ssh.ts";

/** Sends a file, or what is missing of it. */
export async function send(
  { core, device, report }: Push,
  file: LocalFile,
  part: { size: number; sha256: string } | undefined,
): Promise<void> {
  const { name, bytes, path } = file;
  const start =
    part !== undefined && part.size <= bytes.length && digest(bytes.subarray(0, part.size)) === part.sha256
      ? part.size
      : 0;
  let [sent, reported] = [start, -1];
  const counted = new Transform({
    transform(piece: Buffer, _, next) {
      sent += piece.length;
      const percent = Math.floor((sent / bytes.length) * 20) * 5;
      if (percent > reported) {
        report(`${start > 0 ? "going on with" : "sending"} ${name}: ${(reported = percent)} %`);
      }
      next(null, piece);
    },
  });
  const source = createReadStream(path, { start });
  source.on("error", (error) => counted.destroy(error));
  const { exit, stderr } = await ssh(
    device,
    { command: `cat ${start > 0 ? ">>" : ">"} ${FOLDER}/${name}.part`, input: source.pipe(counted) },
    { silence: 120_000 },
  );
  if (exit !== 0) {
    throw failure(
      device,
      `${core}: ${name} could not be sent: ${lastLine(stderr)}`,
      "the device must hold all of it",
      "free some space on the device, then push again: it resumes where it stopped",
    );
  }
}

/** Gives the files their names, if they are what was sent, and unpacks the bundle beside its place. */
export async function unpack({ core, device }: Push, files: readonly LocalFile[]): Promise<void> {
  const { exit, stdout, stderr } = await ssh(
    device,
    {
      script: `umask 077
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
    },
    { silence: 600_000 },
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

import { FOLDER, localFile, type Push } from "./push-task.ts";
import { send, unpack } from "./push-send.ts";
import { install } from "./push-install.ts";
import { look } from "./push-look.ts";
import { ProblemError } from "../problem/index.ts";
import { ssh, type Device } from "./ssh.ts";

/**
 * Brings a bundle to a device and runs its setup.sh there as root. What an earlier push has sent is not sent
 * again, and half a file is gone on with. Each file counts only when its digest is right, and gets its name
 * only then. What was sent is removed from the device in the end; after a failure the nucleus zip stays, so
 * that the next push need not send it. Throws a ProblemError.
 */
export async function push(task: Push): Promise<void> {
  const { core, device, archive, nucleus, report } = task;
  report(`connecting to ${device.host}`);
  const files = [archive, ...(nucleus === undefined ? [] : [nucleus])].map(localFile);
  const found = await look(task, files);
  for (const file of files) {
    if (found.has.get(file.name) !== file.sha256) {
      await send(task, file, found.parts.get(file.name));
    }
  }
  await unpack(task, files);
  let done = false;
  try {
    await install(task, found.sudo);
    done = true;
  } finally {
    if (!device.signal.aborted) {
      await clear(device, core, done);
    }
  }
}

/** Removes what was sent; the zip stays where it may be needed again. */
async function clear(device: Device, core: string, all: boolean): Promise<void> {
  await ssh(device, "sh -s", {
    text: `cd ${FOLDER} || exit 0
rm -rf ${core} ${core}.new ${core}.tar.gz ${core}.tar.gz.part
${all ? "rm -f greengrass-*.zip greengrass-*.zip.part" : ""}
cd .. && rmdir ${FOLDER} 2> /dev/null || true
`,
  }).catch((error: unknown) => {
    if (!(error instanceof ProblemError) || all) {
      throw error;
    }
  });
}

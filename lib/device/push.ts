import { FOLDER, lastLine, type Push } from "./push-task.ts";
import { send, unpack } from "./push-send.ts";
import { install } from "./push-install.ts";
import { look } from "./push-look.ts";
import { connected, forLastWord } from "./ssh-connection.ts";
import { ssh } from "./ssh.ts";

/**
 * Brings a bundle to a device and runs its setup.sh there as root, all over one connection. What an earlier push has
 * sent of the nucleus is not sent again, and half a zip is gone on with. Each file counts only when its digest is
 * right, and gets its name only then. What was sent is removed from the device in the end, also after a failure or an
 * interrupt, but for the nucleus zip, which the next push then need not send; what could not be removed is told.
 * Throws a ProblemError.
 */
export async function push(task: Push): Promise<void> {
  task.report(`connecting to ${task.device.host}`);
  await connected(task.device, (device) => pushOver({ ...task, device }));
}

async function pushOver(task: Push): Promise<void> {
  const { core, device, archive, nucleus, note } = task;
  const files = [archive, ...(nucleus === undefined ? [] : [nucleus])];
  const found = await look(task, files);
  let [isInstalling, isDone] = [false, false];
  try {
    for (const file of files) {
      if (found.has.get(file.name) !== file.sha256) {
        await send(task, file, found.parts.get(file.name));
      }
    }
    await unpack(task, files);
    isInstalling = true;
    await install(task, found.sudo);
    isDone = true;
  } finally {
    // What setup.sh works with is not taken away from it.
    const left =
      isInstalling && device.signal.aborted
        ? "setup.sh may be at work there still"
        : await clear(task, isDone);
    if (left !== undefined) {
      note(
        `${core}: the bundle, with its private key, stays on ${device.host} in ~/${FOLDER}: ${left}; ` +
          `the next push removes it, or \`ssh ${device.host} rm -r ${FOLDER}\``,
      );
    }
  }
}

/** Removes what was sent; the zip stays where it may be needed again. Gives why that could not be. */
async function clear({ core, device }: Push, all: boolean): Promise<string | undefined> {
  const script = `cd ${FOLDER} || exit 0
rm -rf ${core} ${core}.new ${core}.tar.gz ${core}.tar.gz.part || exit 1
${all ? "rm -f greengrass-*.zip greengrass-*.zip.part" : ""}
cd .. && rmdir ${FOLDER} 2> /dev/null
exit 0
`;
  try {
    const { exit, stderr } = await ssh(forLastWord(device), { script }, { silence: 10_000 });
    return exit === 0 ? undefined : lastLine(stderr) || `exit code ${exit}`;
  } catch (error) {
    return (error as Error).message.split("\n")[0]!;
  }
}

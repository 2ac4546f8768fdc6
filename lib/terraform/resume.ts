import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unfinishedText, type Terraform } from "./child.ts";
import { instanceName, workFolder, type ModuleInstance } from "./module-instance.ts";
import { ended, forgetRunning, isAlive, notedRunning, unfinishedChange } from "./running.ts";
import { messagesOf, unfinishedIn } from "./stream.ts";

/**
 * What an earlier run left: waits for its Terraform if that works still, and says what it may have left
 * behind. Gives since when (milliseconds since 1970) no change has come to a good end; undefined if the last
 * one did.
 */
export async function resume(
  { signal, report }: Terraform,
  instance: ModuleInstance,
): Promise<number | undefined> {
  const running = notedRunning(instance);
  if (running !== undefined) {
    if (await isAlive(running)) {
      report(
        `terraform ${running.command} of ${instanceName(instance)} from an earlier run ` +
          `(process ${running.process!.id}) works still: waiting for it`,
      );
      // What only looks has nobody left to tell.
      if (unfinishedChange(instance) === undefined) {
        process.kill(running.process!.id, "SIGINT");
      }
      await ended(running, signal);
    }
    const unfinished = unfinishedIn(messagesOf(logOf(instance)));
    if (unfinished.length > 0) {
      report(unfinishedText(instance, unfinished, "this"));
    }
    forgetRunning(instance);
  }
  return unfinishedChange(instance);
}

function logOf(instance: ModuleInstance): string {
  try {
    return readFileSync(join(workFolder(instance), "apply.log"), "utf8");
  } catch {
    return "";
  }
}

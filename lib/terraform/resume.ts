import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unfinishedText, type Terraform } from "./child.ts";
import { placeName, workFolder, type ModulePlace } from "./place.ts";
import { ended, forgetRunning, isAlive, notedRunning, unfinishedChange } from "./running.ts";
import { messagesOf, unfinishedIn } from "./stream.ts";

/**
 * What an earlier run left: waits for its Terraform if that works still, and tells what it may have left
 * behind. Gives since when (milliseconds since 1970) no change has come to a good end; undefined if the last
 * one did.
 */
export async function resume({ signal, tell }: Terraform, place: ModulePlace): Promise<number | undefined> {
  const running = notedRunning(place);
  if (running !== undefined) {
    if (await isAlive(running)) {
      tell(
        `terraform ${running.command} of ${placeName(place)} from an earlier run ` +
          `(process ${running.process!.id}) works still: waiting for it`,
      );
      // What only looks has nobody left to tell.
      if (unfinishedChange(place) === undefined) {
        process.kill(running.process!.id, "SIGINT");
      }
      await ended(running, signal);
    }
    const unfinished = unfinishedIn(messagesOf(logOf(place)));
    if (unfinished.length > 0) {
      tell(unfinishedText(place, unfinished, "this"));
    }
    forgetRunning(place);
  }
  return unfinishedChange(place);
}

function logOf(place: ModulePlace): string {
  try {
    return readFileSync(join(workFolder(place), "apply.log"), "utf8");
  } catch {
    return "";
  }
}

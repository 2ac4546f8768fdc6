import type { Device } from "../device/device.ts";
import { ssh } from "../device/ssh.ts";
import { ProblemError } from "../problem/index.ts";

/** What a look at a device tells: its service, or why nobody could look. */
export type Service =
  | {
      readonly reached: true;
      /** As systemctl says: "active", "inactive", "failed", "unknown". */
      readonly state: string;
      /** The device's clock minus ours, in seconds; undefined where it told none. */
      readonly clockOff?: number;
    }
  | { readonly reached: false; readonly why: string };

/**
 * What a device is asked. The target of nucleus lite stays active while its daemons fail and start again: the one that
 * holds the connection counts.
 */
const LOOKS = {
  classic: "systemctl is-active greengrass < /dev/null",
  lite:
    "systemctl is-active greengrass-lite.target ggl.core.iotcored.service < /dev/null | grep -vx active | " +
    "head -n 1 | grep . || echo active",
};

/**
 * Asks a device for its service and its clock. Nobody is asked for a password, and one that hangs is not
 * waited for.
 */
export async function serviceOver(
  { host, signal }: Pick<Device, "host" | "signal">,
  runtime: "classic" | "lite",
): Promise<Service> {
  try {
    const { exit, stdout, stderr } = await ssh(
      { host, signal, interactive: false },
      { script: `${LOOKS[runtime]}\ndate +%s\n` },
      { silence: 30_000 },
    );
    const lines = stdout.trim().split("\n");
    // systemctl's own exit code is lost behind date's.
    if (exit !== 0 || lines.length < 2) {
      return {
        reached: false,
        why: `${host} gave no answer: ${stderr.trim().split("\n").at(-1) || `exit code ${exit}`}`,
      };
    }
    const seconds = Number(lines.at(-1));
    return {
      reached: true,
      state: lines.at(-2)!,
      ...(Number.isFinite(seconds) ? { clockOff: seconds - Date.now() / 1000 } : {}),
    };
  } catch (error) {
    // At a terminal Ctrl-C reaches ssh, too, which may end first.
    signal.throwIfAborted();
    if (!(error instanceof ProblemError)) {
      throw error;
    }
    return { reached: false, why: error.problems[0]!.what };
  }
}

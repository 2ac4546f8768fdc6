import { execa } from "execa";

/** What a look at the device tells. */
export interface Service {
  /** As systemctl says: "active", "inactive", "failed", "unknown"; or what ssh said where there was no answer. */
  readonly state: string;
  readonly reached: boolean;
  /** The device's clock minus ours, in seconds; undefined where it told none. */
  readonly clockOff?: number;
}

/** Asks the device for its service and its clock over the user's own ssh, which is never asked for a password here. */
export async function serviceOver(host: string): Promise<Service> {
  const { stdout, stderr, exitCode, failed } = await execa("ssh", ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "--", host, "systemctl is-active greengrass; date +%s"], {
    reject: false, timeout: 30_000, stdin: "ignore",
  });
  const lines = stdout.trim().split("\n");
  const seconds = Number(lines.at(-1));
  // systemctl's own exit code is lost behind date's: ssh fails with 255, or cannot be started.
  if (exitCode !== 0 || failed || lines.length < 2) return { state: (stderr.trim().split("\n").at(-1) ?? "") || `exit ${exitCode ?? "unknown"}`, reached: false };
  return { state: lines[0] ?? "unknown", reached: true, ...(Number.isFinite(seconds) ? { clockOff: seconds - Date.now() / 1000 } : {}) };
}

import { join } from "node:path";
import { OUTPUT_FOLDER } from "../layout.ts";
import type { DataPlane } from "../sandbox/data-plane/index.ts";
import type { Settings } from "../settings/index.ts";
import { SANDBOX_FILE } from "./sandbox-account.ts";

export interface DataPlaneContext {
  readonly root: string;
  readonly settings: Settings;
  /** Told what happens in it, a line at a time. */
  readonly log: (line: string) => void;
}

/** Opens the sandbox with all that devices talk to. The caller holds the project's lock. */
export async function openSandboxDevices({ root, settings, log }: DataPlaneContext): Promise<DataPlane> {
  const { openDataPlane } = await import("../sandbox/data-plane/index.ts");
  return await openDataPlane({
    file: join(root, SANDBOX_FILE),
    region: settings.aws.region,
    bundles: join(root, OUTPUT_FOLDER),
    log,
  });
}

/** Whether `dospesos sandbox` runs for the project. */
export async function isSandboxRunning(root: string): Promise<boolean> {
  const { runningSandbox } = await import("../sandbox/data-plane/record.ts");
  return (await runningSandbox(join(root, SANDBOX_FILE, ".."))) !== undefined;
}

/**
 * Runs something that talks to devices, or to what they say. In a real account they are there. In the sandbox
 * they are, too, while `dospesos sandbox` runs; else they run for as long as the body does, and have done
 * what waited for them when it begins.
 */
export async function withDevices<T>(context: DataPlaneContext, body: () => Promise<T>): Promise<T> {
  if (!context.settings.sandbox || (await isSandboxRunning(context.root))) {
    return await body();
  }
  const devices = await openSandboxDevices(context);
  try {
    await devices.settled();
    return await body();
  } finally {
    await devices.close();
  }
}

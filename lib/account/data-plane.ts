import { join } from "node:path";
import { outputFolder, sandboxFile } from "../layout.ts";
import { ProblemError } from "../problem/index.ts";
import type { Observation } from "../sandbox/data-plane/observations.ts";
import type { DataPlane } from "../sandbox/data-plane/index.ts";
import { closeAccounts } from "./open-accounts.ts";
import type { Settings } from "../settings/index.ts";

export interface DataPlaneContext {
  readonly root: string;
  readonly settings: Settings;
  /** Told what happens in it, a line at a time. */
  readonly log: (line: string) => void;
}

/** Whether real devices are to talk to the sandbox. */
export function hasRealDevices({ cores }: Settings): boolean {
  return [...cores].some(({ sandbox }) => sandbox === "device");
}

/**
 * Opens the sandbox with all that devices talk to; `bind`: on another address, too; `trace`: what passes is
 * told. On its own ports it can be met by
 * real devices. The caller holds the project's lock.
 */
export async function openSandboxDevices(
  { root, settings, log }: DataPlaneContext,
  {
    own = false,
    trace = false,
    bind,
  }: { readonly own?: boolean; readonly trace?: boolean; readonly bind?: string } = {},
): Promise<DataPlane> {
  // What this process has open of the account would be a second writer.
  await closeAccounts();
  const { AWS_PORTS, openDataPlane } = await import("../sandbox/data-plane/index.ts");
  const isOpen = own && (settings.sandboxPorts ?? (hasRealDevices(settings) ? "aws" : "free")) === "aws";
  const real = new Set(
    [...settings.cores].filter(({ sandbox }) => sandbox === "device").map(({ name }) => name),
  );
  return await openDataPlane({
    file: join(root, sandboxFile()),
    region: settings.aws.region,
    bundles: join(root, outputFolder()),
    isSimulated: (core) => !real.has(core),
    ...(isOpen ? { ports: AWS_PORTS } : {}),
    ...(bind === undefined ? {} : { bind }),
    trace,
    throttled: settings.isThrottled,
    log,
  });
}

/** What the sandbox that runs saw go wrong with clients lately; nothing where it tells nothing. */
export async function observations(endpoint: string): Promise<readonly Observation[]> {
  const { OBSERVATIONS_PATH } = await import("../sandbox/data-plane/observations.ts");
  try {
    const response = await fetch(endpoint + OBSERVATIONS_PATH);
    return response.ok ? ((await response.json()) as Observation[]) : [];
  } catch {
    return []; // a sandbox of this process has no devices to tell of
  }
}

/** Whether `dospesos sandbox` runs for the project. */
export async function isSandboxRunning(root: string): Promise<boolean> {
  const { runningSandbox } = await import("../sandbox/data-plane/record.ts");
  return (await runningSandbox(join(root, sandboxFile(), ".."))) !== undefined;
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
  const [device] = [...context.settings.cores].filter(({ sandbox }) => sandbox === "device");
  if (device !== undefined) {
    throw new ProblemError([
      {
        code: "DP634",
        what: `${device.name} is a device of yours, and no sandbox runs for it to talk to`,
        why: "a device connects when it likes, and stays connected",
        fix: "dospesos sandbox in another terminal, or sandbox = simulated in its section",
      },
    ]);
  }
  const devices = await openSandboxDevices(context);
  try {
    await devices.settled();
    return await body();
  } finally {
    await closeAccounts();
    await devices.close();
  }
}

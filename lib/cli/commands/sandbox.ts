import { join } from "node:path";
import { OUTPUT_FOLDER } from "../../layout.ts";
import { isSandboxRunning, openSandboxDevices } from "../../account/data-plane.ts";
import { ProblemError } from "../../problem/index.ts";
import type { DataPlane } from "../../sandbox/data-plane/index.ts";
import { command, locked, type CommandContext } from "../command.ts";
import { noWait } from "../options.ts";
import { openProject } from "../project.ts";

/**
 * `dospesos sandbox`: the embedded account with IoT Core, Greengrass discovery and a simulated core for each
 * bundle, until it is interrupted. Builds that run meanwhile talk to it; a bundle that they make anew
 * restarts the cores.
 */
export const sandbox = command({
  options: { noWait },
  exits: { 3: "a sandbox runs here already, or another run works here (--no-wait)" },
  examples: ["sandbox"],
  locks: false,
  run: async (context) => {
    const { root, emit, signal } = context;
    const log = (what: string): void => emit({ type: "sandbox-log", what });
    // Nobody else has the account's file open while the lock is held; afterwards they see that this sandbox
    // runs.
    const devices = await locked(context, () => openDevices(context, log));
    const { endpoint, iot, discovery } = devices.record;
    const stop = await restartOnNewBundles(join(root, OUTPUT_FOLDER), devices, log);
    emit({
      type: "sandbox-listening",
      endpoint,
      iot: `mqtts://${iot.host}:${iot.port}`,
      discovery: `https://${discovery.host}:${discovery.port}`,
    });
    await new Promise<void>((resolve) => {
      if (signal.aborted) {
        resolve();
      }
      signal.addEventListener("abort", () => resolve());
    });
    await stop();
    await devices.close();
    emit({ type: "sandbox-ended" });
    return 0;
  },
});

async function openDevices(context: CommandContext, log: (what: string) => void): Promise<DataPlane> {
  const { root } = context;
  const { settings, settingsFile } = openProject(context);
  if (!settings.sandbox) {
    throw new ProblemError([
      {
        code: "DP209",
        location: { file: settingsFile },
        what: `the settings name the account ${settings.aws.account}, not the sandbox`,
        why: "real devices talk to AWS",
        fix: "set [aws] account = sandbox in a copy of the project",
      },
    ]);
  }
  if (await isSandboxRunning(root)) {
    throw new ProblemError([
      { code: "DP303", what: "a sandbox runs here already", fix: "use it, or end it first" },
    ]);
  }
  return openSandboxDevices({ root, settings, log });
}

/** A bundle's manifest is the last of its files to be written. Several of one build are one restart. */
async function restartOnNewBundles(
  folder: string,
  devices: DataPlane,
  log: (line: string) => void,
): Promise<() => Promise<void>> {
  const { watch } = await import("chokidar");
  const watcher = watch(folder, { ignoreInitial: true, depth: 1 });
  let due: NodeJS.Timeout | undefined;
  let restarting: Promise<void> = Promise.resolve();
  watcher.on("all", (_, path) => {
    if (!path.endsWith("MANIFEST")) {
      return;
    }
    clearTimeout(due);
    due = setTimeout(() => {
      restarting = restarting
        .then(async () =>
          log(`bundles changed; cores that run: ${(await devices.restartCores()).join(", ") || "none"}`),
        )
        .catch((error: unknown) => log(String(error)));
    }, 300);
  });
  await new Promise<void>((resolve) => watcher.once("ready", resolve));
  return async () => {
    clearTimeout(due);
    await watcher.close();
    await restarting;
  };
}

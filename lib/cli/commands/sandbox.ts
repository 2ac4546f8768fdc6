import { join } from "node:path";
import { isSandboxRunning, openSandboxDevices } from "../../account/data-plane.ts";
import { settingsOf } from "../../account/modules.ts";
import { acquireLock } from "../../engine/index.ts";
import { ProblemError } from "../../problem/index.ts";
import type { DataPlane } from "../../sandbox/data-plane/index.ts";
import type { Run } from "../run.ts";

/**
 * `dospesos sandbox`: the embedded account with IoT Core, Greengrass discovery and a simulated core for each
 * bundle, until it is interrupted. Builds that run meanwhile talk to it; a bundle that they make anew
 * restarts the cores. Exit 130 or 143 at its end, which is a signal, 2 where the settings name a real
 * account, 3 where it runs already.
 */
export async function sandbox(run: Run): Promise<number> {
  const { args, root, screen, signal } = run;
  // Nobody else has the account's file open while the lock is held; afterwards they see that this sandbox
  // runs.
  const lock = await acquireLock(root, {
    command: "dospesos sandbox",
    wait: args.wait,
    signal,
    onWait: (holder) => screen.emit({ type: "lock-wait", holder }),
  });
  let devices: DataPlane;
  try {
    const session = run.open();
    const settings = settingsOf(session.observer.settings, session.observer.settingsFile);
    if (!settings.sandbox) {
      throw new ProblemError([
        {
          code: "DP209",
          location: { file: "settings.ini" },
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
    devices = await openSandboxDevices({ root, settings, told: (line) => screen.say(line) });
  } finally {
    lock.release();
  }
  const { record } = devices;
  screen.say(`AWS's APIs   ${record.endpoint}`);
  screen.say(`IoT Core     mqtts://${record.iot.host}:${record.iot.port}`);
  screen.say(`discovery    https://${record.discovery.host}:${record.discovery.port}`);
  const stop = await restartOnNewBundles(join(root, "edge", "out"), devices, (line) => screen.say(line));
  screen.say("the sandbox runs; Ctrl-C ends it");
  await new Promise<void>((resolve) => {
    if (signal.aborted) {
      resolve();
    }
    signal.addEventListener("abort", () => resolve());
  });
  await stop();
  await devices.close();
  screen.say("the sandbox has ended");
  return 0;
}

/** A bundle's manifest is the last of its files to be written. Several of one build are one restart. */
async function restartOnNewBundles(
  folder: string,
  devices: DataPlane,
  told: (line: string) => void,
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
          told(`bundles changed; cores that run: ${(await devices.restartCores()).join(", ") || "none"}`),
        )
        .catch((error: unknown) => told(String(error)));
    }, 300);
  });
  await new Promise<void>((resolve) => watcher.once("ready", resolve));
  return async () => {
    clearTimeout(due);
    await watcher.close();
    await restarting;
  };
}

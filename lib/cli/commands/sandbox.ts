import { join } from "node:path";
import { outputFolder } from "../../layout.ts";
import { hasRealDevices, isSandboxRunning, openSandboxDevices } from "../../account/data-plane.ts";
import { ProblemError } from "../../problem/index.ts";
import type { DataPlane } from "../../sandbox/data-plane/index.ts";
import { command, locked, type CommandContext } from "../command.ts";
import { bind, noWait, type Flag, type OptionValues } from "../options.ts";
import { openProject } from "../project.ts";

const trace: Flag = {
  type: "boolean",
  help: "tell each message on AWS's own topics, and each request of Greengrass' data plane",
};
const options = { noWait, bind, trace };

/**
 * `dospesos sandbox`: the embedded account with IoT Core, Greengrass discovery and a simulated core for each
 * bundle, until it is interrupted. Builds that run meanwhile talk to it; a bundle that they make anew
 * restarts the cores.
 */
export const sandbox = command({
  options,
  exits: {
    3: "a sandbox runs here already, or another run works here (--no-wait)",
    4: "a port that real devices need is taken",
  },
  examples: ["sandbox", "sandbox --bind 192.168.1.10", "sandbox --trace"],
  locks: false,
  run: async (context) => {
    const { root, emit, signal } = context;
    const address = context.options.bind;
    const log = (what: string): void => emit({ type: "sandbox-log", what });
    // Nobody else has the account's file open while the lock is held; afterwards they see that this sandbox
    // runs.
    const devices = await locked(context, () => openDevices(context, log));
    const { endpoint, iot, discovery } = devices.record;
    const stop = await restartOnNewBundles(join(root, outputFolder()), devices, log);
    emit({
      type: "sandbox-listening",
      endpoint,
      iot: `mqtts://${iot.host}:${iot.port}`,
      discovery: `https://${discovery.host}:${discovery.port}`,
      hosts: isForDevices(context, address) ? `${address ?? LOOPBACK} ${devices.names.join(" ")}` : null,
      bind: address ?? null,
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

type SandboxContext = CommandContext & { readonly options: OptionValues<typeof options> };

const LOOPBACK = "127.0.0.1";

function isForDevices(context: CommandContext, address: string | undefined): boolean {
  return address !== undefined || hasRealDevices(openProject(context).settings);
}

async function openDevices(context: SandboxContext, log: (what: string) => void): Promise<DataPlane> {
  const { root, options: given } = context;
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
  try {
    return await openSandboxDevices(
      { root, settings, log },
      { own: true, trace: given.trace, ...(given.bind === undefined ? {} : { bind: given.bind }) },
    );
  } catch (error) {
    throw asPortProblem(error) ?? error;
  }
}

/** A port or an address that cannot be had, as a problem; undefined for another error. */
function asPortProblem(error: unknown): ProblemError | undefined {
  const { code, port, address } = error as { code?: string; port?: number; address?: string };
  const fixes: Readonly<Record<string, string>> = {
    EADDRINUSE:
      "end the program that listens there, or set ports = free in [sandbox] where no real device is meant",
    EACCES:
      "let this user open it (sudo sysctl net.ipv4.ip_unprivileged_port_start=443), or set ports = free in [sandbox]",
    EADDRNOTAVAIL: "name an address of this machine: ip address",
  };
  const fix = fixes[code ?? ""];
  return fix === undefined
    ? undefined
    : new ProblemError([
        {
          code: "DP633",
          what: `the sandbox cannot listen on ${address ?? ""}:${port ?? ""} (${code})`,
          why: "real devices use exactly the ports of AWS",
          fix,
        },
      ]);
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

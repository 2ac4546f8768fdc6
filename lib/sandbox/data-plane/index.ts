import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { coreHosts, greengrassHost } from "../../aws/hosts.ts";
import { partitionOf } from "../../aws/partition.ts";
import { openAccountFile } from "../account-file.ts";
import { issueServer } from "../../pki/ca.ts";
import { readCoreBundle } from "../device/bundle.ts";
import { SimulatedCore } from "../device/simulated-core.ts";
import { serveAccount } from "../server.ts";
import { coreCalls } from "./core-calls.ts";
import { openDiscovery } from "./discovery.ts";
import { openIotCore } from "./iot-core.ts";
import { removeRecord, writeRecord, type DataPlaneRecord } from "./record.ts";

export interface DataPlaneOptions {
  /** The account's file. */
  readonly file: string;
  readonly region: string;
  /** `edge/out`: a core runs for each bundle in it. */
  readonly bundles: string;
  /** Ports that somebody chose; 0 or absent: free ones. */
  readonly ports?: { readonly api?: number; readonly iot?: number; readonly discovery?: number };
  /** Told what happens, a line at a time. */
  readonly log: (line: string) => void;
}

/** A sandbox with everything that a device talks to. */
export interface DataPlane {
  readonly record: DataPlaneRecord;
  /** Stops the cores that run and starts those that have a bundle now. Gives their names. */
  restartCores: () => Promise<readonly string[]>;
  /** Resolves when every core has done what waited for it, or could not connect. */
  settled: () => Promise<void>;
  close: () => Promise<void>;
}

/**
 * Opens the account's APIs, IoT Core, Greengrass discovery and a simulated core for each bundle, all on the
 * loopback interface, and records where they are. One process at a time may have the account open: the caller
 * holds the project's lock while this opens.
 */
export async function openDataPlane({
  file,
  region,
  bundles,
  ports = {},
  log,
}: DataPlaneOptions): Promise<DataPlane> {
  const accountFile = await openAccountFile(file);
  const { account } = accountFile;
  const home = dirname(file);
  const token = randomBytes(16).toString("hex");
  const domain = `iot.${region}.${partitionOf(region).domain}`;
  const identity = await issueServer(account.ca, [
    "localhost",
    "127.0.0.1",
    `${account.dataPrefix}-ats.${domain}`,
    greengrassHost(region),
    coreHosts({ region, fips: true, data: "", credentials: "" }).data,
  ]);
  const opened: { close: () => Promise<void> }[] = [];
  const keep = <T extends { close: () => Promise<void> }>(one: T): T => {
    opened.push(one);
    return one;
  };
  const close = async (): Promise<void> => {
    removeRecord(home);
    for (const one of opened.splice(0).reverse()) {
      await one.close();
    }
  };
  try {
    const api = keep(await serveAccount(accountFile, region, ports.api, token));
    const iot = keep(await openIotCore({ file: accountFile, region, identity, port: ports.iot ?? 0, log }));
    const discovery = keep(
      await openDiscovery({ file: accountFile, region, identity, port: ports.discovery ?? 0, log }),
    );
    const cores = keep(
      simulatedCores(
        bundles,
        log,
        (name, bundle) =>
          new SimulatedCore({
            bundle,
            home: join(home, "cores", name),
            iotPort: iot.port,
            clientCa: account.ca.certificate,
            log,
            calls: coreCalls(accountFile, region, bundle.name, bundle.certificateId),
          }),
      ),
    );
    await cores.restart();
    const record: DataPlaneRecord = {
      sandbox: true,
      endpoint: api.endpoint,
      region,
      iot: { host: "127.0.0.1", port: iot.port },
      discovery: { host: "127.0.0.1", port: discovery.port },
      token,
    };
    writeRecord(home, record);
    return { record, restartCores: cores.restart, settled: cores.settled, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function simulatedCores(
  bundles: string,
  log: (line: string) => void,
  make: (name: string, bundle: ReturnType<typeof readCoreBundle>) => SimulatedCore,
) {
  let running: SimulatedCore[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(running.splice(0).map((core) => core.close()));
  };
  return {
    close,
    settled: async (): Promise<void> => {
      await Promise.all(running.map((core) => core.settled));
    },
    restart: async (): Promise<readonly string[]> => {
      await close();
      running = bundleNames(bundles).flatMap((name) => {
        try {
          return [make(name, readCoreBundle(join(bundles, name)))];
        } catch (error) {
          log(`${name} does not start: ${error instanceof Error ? error.message : String(error)}`);
          return [];
        }
      });
      await Promise.all(running.map((core) => core.start()));
      return running.map(({ name }) => name);
    },
  };
}

/** The cores that have a whole bundle: its manifest is written last. */
function bundleNames(folder: string): string[] {
  if (!existsSync(folder)) {
    return [];
  }
  return readdirSync(folder)
    .filter((name) => ["MANIFEST", "config.yaml"].every((file) => existsSync(join(folder, name, file))))
    .sort();
}

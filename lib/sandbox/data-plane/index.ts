import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TLSSocket } from "node:tls";
import { coreHosts, greengrassHost } from "../../aws/hosts.ts";
import { partitionOf } from "../../aws/partition.ts";
import { inParallel } from "../../parallel.ts";
import { visible } from "../../problem/index.ts";
import type { Account } from "../account.ts";
import { openAccountFile } from "../account-file.ts";
import { issueServer } from "../../pki/ca.ts";
import { readCoreBundle } from "../device/bundle.ts";
import type { Note } from "../mqtt/wire.ts";
import { SimulatedCore } from "../device/simulated-core.ts";
import { serveAccount } from "../server.ts";
import { openArtifacts, type Artifacts } from "./artifacts.ts";
import { coreCalls } from "./core-calls.ts";
import { coreRoutes } from "./core-routes.ts";
import { credentialRoutes } from "./credentials.ts";
import { discoveryRoutes } from "./discovery.ts";
import { Observations } from "./observations.ts";
import { openHttps } from "./https.ts";
import { openIotCore } from "./iot-core.ts";
import { openTlsPort, type TlsPortOptions } from "./tls-port.ts";
import { removeRecord, writeRecord, type DataPlaneRecord } from "./record.ts";

/** The ports that AWS's endpoints have, which real devices cannot be told otherwise. */
export const AWS_PORTS = { iot: 8883, https: 8443, alpn: 443 } as const;

export interface DataPlaneOptions {
  /** The account's file. */
  readonly file: string;
  readonly region: string;
  /** `edge/out`: a core runs for each bundle in it. */
  readonly bundles: string;
  /** Whether a core of that name is simulated; a real device takes the place of others. */
  readonly isSimulated?: (core: string) => boolean;
  /** Ports that somebody chose; 0 or absent: free ones. `alpn` is MQTT and HTTPS on one, by ALPN, where wanted. */
  readonly ports?: {
    readonly api?: number;
    readonly iot?: number;
    readonly https?: number;
    readonly alpn?: number;
  };
  /** An address to listen on beside 127.0.0.1, for devices on a bench network. */
  readonly bind?: string;
  /** Whether calls above AWS's quotas are refused. */
  readonly throttled?: boolean;
  /** Whether each message on AWS's own topics, and each request of the data plane, is told. */
  readonly trace?: boolean;
  /** Told what happens, a line at a time. */
  readonly log: (line: string) => void;
}

/** A sandbox with everything that a device talks to. */
export interface DataPlane {
  readonly record: DataPlaneRecord;
  /** Where MQTT and HTTPS are on one port, by ALPN; undefined where that was not wanted, or not to be had. */
  readonly alpnPort: number | undefined;
  /** The URL of an artifact for a core that reached the sandbox at an address. */
  readonly artifactUrl: Artifacts["url"];
  /** The names of the account's endpoints: a real device has to find this machine under them. */
  readonly names: readonly string[];
  /** Stops the cores that run and starts those that have a bundle now. Gives their names. */
  restartCores: () => Promise<readonly string[]>;
  /** Resolves when every core has done what waited for it, or could not connect. */
  settled: () => Promise<void>;
  close: () => Promise<void>;
}

/**
 * Opens the account's APIs, IoT Core, Greengrass' data plane and a simulated core for each bundle, on the loopback
 * interface, and records where they are. One process at a time may have the account open: the caller holds the
 * project's lock while this opens.
 */
export async function openDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const {
    file,
    region,
    bundles,
    isSimulated = () => true,
    ports = {},
    bind,
    trace: isTraced = false,
  } = options;
  const log = (line: string): void => options.log(visible(line));
  const trace = (line: string): void => {
    if (isTraced) {
      log(line.replaceAll(SECRETS, '"$1":"…"'));
    }
  };
  const accountFile = await openAccountFile(file);
  const { account } = accountFile;
  const home = dirname(file);
  const token = randomBytes(16).toString("hex");
  const hosts = [LOOPBACK, ...(bind === undefined || bind === LOOPBACK ? [] : [bind])];
  const names = endpointNames(account, region);
  const identity = await issueServer(account.identity.ca, ["localhost", ...hosts, ...names]);
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
    const observed = new Observations(log);
    const api = keep(
      await serveAccount(accountFile, region, {
        ...(ports.api === undefined ? {} : { port: ports.api }),
        throttled: options.throttled === true,
        own: { token, extra: (request) => observed.answer(request) },
      }),
    );
    const simulated = new Set<string>();
    const common = { file: accountFile, region, observed, trace, log };
    const iot = keep(await openIotCore({ ...common, isSimulated: (id) => simulated.has(id) }));
    const artifacts = keep(await openArtifacts(accountFile.objects, hosts));
    const routes = [...discoveryRoutes, ...coreRoutes(artifacts.url), ...credentialRoutes];
    const https = keep(openHttps({ ...common, routes }));
    const listen = async (
      port: number,
      accept: TlsPortOptions["accept"],
      protocols: readonly string[],
    ): Promise<number> => {
      let chosen = port;
      for (const host of hosts) {
        const tls = { identity, clientCa: account.identity.ca.certificate, protocols, accept };
        const refused: Note = (who, from, what) => observed.note(who, from, what);
        chosen = keep(await openTlsPort({ ...tls, host, port: chosen, refused })).port;
      }
      return chosen;
    };
    const at = {
      iot: await listen(ports.iot ?? 0, iot.accept, [MQTT_ALPN]),
      https: await listen(ports.https ?? 0, https.accept, HTTPS_ALPN),
    };
    let alpnPort: number | undefined;
    if (ports.alpn !== undefined) {
      const accept = (socket: TLSSocket): void =>
        (socket.alpnProtocol === MQTT_ALPN ? iot : https).accept(socket);
      alpnPort = await listen(ports.alpn, accept, [MQTT_ALPN, ...HTTPS_ALPN]).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== "EACCES") {
          throw error;
        }
        log(
          `port ${ports.alpn} is root's alone (net.ipv4.ip_unprivileged_port_start): no MQTT and no credentials there`,
        );
        return undefined;
      });
    }
    const cores = keep(
      simulatedCores(
        bundles,
        isSimulated,
        simulated,
        log,
        (name, bundle) =>
          new SimulatedCore({
            bundle,
            home: join(home, "cores", name),
            region,
            ports: at,
            clientCa: account.identity.ca.certificate,
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
      iot: { host: LOOPBACK, port: at.iot },
      discovery: { host: LOOPBACK, port: at.https },
      token,
    };
    writeRecord(home, record);
    return {
      record,
      alpnPort,
      artifactUrl: artifacts.url,
      names,
      restartCores: cores.restart,
      settled: cores.settled,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const LOOPBACK = "127.0.0.1";

/** Members of documents that nobody writes down. */
const SECRETS = /"(secretAccessKey|sessionToken|certificateOwnershipToken|privateKey)":"(?:[^"\\]|\\.)*"/g;

/** What clients ask for on port 443 (https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html). */
const MQTT_ALPN = "x-amzn-mqtt-ca";
const HTTPS_ALPN = ["x-amzn-http-ca", "http/1.1"];

/** The names of the account's endpoints, which its devices are told. */
function endpointNames({ identity: { dataPrefix, credentialsPrefix } }: Account, region: string): string[] {
  const { domain } = partitionOf(region);
  const data = `${dataPrefix}-ats.iot.${region}.${domain}`;
  const credentials = `${credentialsPrefix}.credentials.iot.${region}.${domain}`;
  const fips = coreHosts({ region, fips: true, data, credentials });
  return [...new Set([data, credentials, greengrassHost(region), fips.data, fips.credentials])];
}

/** How many cores connect at the same time: this process is both ends of each handshake. */
const CONNECTING = 32;

function simulatedCores(
  bundles: string,
  isSimulated: (core: string) => boolean,
  simulated: Set<string>,
  log: (line: string) => void,
  make: (name: string, bundle: ReturnType<typeof readCoreBundle>) => SimulatedCore,
) {
  let running: SimulatedCore[] = [];
  let starting: Promise<unknown> = Promise.resolve();
  const close = async (): Promise<void> => {
    await Promise.all(running.splice(0).map((core) => core.close()));
  };
  return {
    close,
    settled: async (): Promise<void> => {
      await starting;
    },
    restart: async (): Promise<readonly string[]> => {
      await close();
      running = bundleNames(bundles)
        .filter(isSimulated)
        .flatMap((name) => {
          try {
            return [make(name, readCoreBundle(join(bundles, name)))];
          } catch (error) {
            log(`${name} does not start: ${error instanceof Error ? error.message : String(error)}`);
            return [];
          }
        });
      simulated.clear();
      for (const { name } of running) {
        simulated.add(name);
      }
      // Those that were not begun when this is closed are taken from the list, and are not.
      starting = inParallel(CONNECTING, running, async (core) => {
        await core.start();
        await core.settled;
      });
      starting.catch(() => {});
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

import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { AccountFile } from "../account-file.ts";
import { regionOf, type Region } from "../account.ts";
import { iotArn } from "../arns.ts";
import { decide } from "../iot/authorization.ts";
import type { IotCoreOptions } from "./iot-core.ts";
import { MUTUAL_TLS, peerCertificate, thingOf } from "./peer.ts";

/** What an endpoint of the data plane is opened with. */
export type DiscoveryOptions = IotCoreOptions & { readonly file: AccountFile };

/**
 * Greengrass' data plane as a client device sees it: `GET /greengrass/discover/thing/NAME`. An inactive
 * certificate gets an empty reply, a missing right 403, and a thing without a core that can be reached 404
 * (https://docs.aws.amazon.com/greengrass/v2/developerguide/greengrass-discover-api.html).
 */
export async function openDiscovery({
  file,
  region: name,
  identity,
  port,
  log,
}: DiscoveryOptions): Promise<{ readonly port: number; close: () => Promise<void> }> {
  const region = regionOf(file.account, name);
  // On port 443 clients ask for the protocol x-amzn-http-ca in ALPN, on 8443 for none.
  const options = {
    key: identity.key,
    cert: identity.certificate,
    ca: file.account.ca.certificate,
    ALPNProtocols: ["x-amzn-http-ca", "http/1.1"],
    ...MUTUAL_TLS,
  };
  const server = createServer(options, (request, response) => {
    const { status, body, why } = answered(region, request);
    if (why !== undefined) {
      log(`discovery: ${why}`);
    }
    if (status === undefined) {
      return void request.socket.destroy();
    }
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException) =>
    log(`discovery: TLS failed: ${error.code ?? error.message}`),
  );
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Answered {
  /** Undefined: the connection ends without an answer. */
  readonly status?: number;
  readonly body?: object;
  /** For a person, where it was refused. */
  readonly why?: string;
}

function answered(region: Region, request: IncomingMessage): Answered {
  const [, thing] = /^\/greengrass\/discover\/thing\/([A-Za-z0-9:_-]+)$/.exec(request.url ?? "") ?? [];
  if (request.method !== "GET" || thing === undefined) {
    return {
      status: 501,
      body: { message: `The sandbox does not know greengrass data plane ${request.method} ${request.url}` },
    };
  }
  const certificate = peerCertificate(region, request.socket);
  if (typeof certificate === "string") {
    return { why: certificate };
  }
  const { allowed, why } = decide(
    region,
    { certificate, thing: thingOf(certificate) },
    "greengrass:Discover",
    iotArn(region, `thing/${thing}`),
  );
  if (!allowed) {
    return { status: 403, body: { message: "Forbidden" }, why };
  }
  if (!certificate.things.some(({ name }) => name === thing)) {
    return { status: 403, body: { message: "Forbidden" }, why: `the certificate is not one of ${thing}` };
  }
  const groups = region.associations
    .filter(({ device }) => device === thing)
    .flatMap(({ core }) => groupOf(region, core));
  if (groups.length === 0) {
    return { status: 404, body: { message: `No core that ${thing} is associated with can be reached` } };
  }
  return { status: 200, body: { GGGroups: groups } };
}

/**
 * Each core is a group of its own in Greengrass V2. One without addresses or without a CA cannot be reached.
 */
function groupOf(region: Region, core: string): object[] {
  const addresses = region.connectivity.get(core)?.addresses ?? [];
  const authorities = region.coreDevices.get(core)?.authorities ?? [];
  if (addresses.length === 0 || authorities.length === 0) {
    return [];
  }
  const Connectivity = addresses.map(({ id, host, port, metadata }) => ({
    Id: id,
    HostAddress: host,
    PortNumber: port,
    Metadata: metadata,
  }));
  return [
    {
      GGGroupId: `greengrassV2-coreDevice-${core}`,
      Cores: [{ thingArn: iotArn(region, `thing/${core}`), Connectivity }],
      CAs: authorities,
    },
  ];
}

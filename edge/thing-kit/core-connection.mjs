// The way from discovered addresses to an MQTT connection with the core.
import { connect as tcpConnect } from "node:net";
import { noCore, printable, readKitFile, Stop } from "./discovery.mjs";

const PROBE_MS = 3_000;
const CONNECT_MS = 10_000;

/** Whether something listens there: undefined, or why not. Nothing is sent. */
function probe({ host, port }) {
  return new Promise((resolve) => {
    const socket = tcpConnect({ host, port, timeout: PROBE_MS });
    const end = (why) => {
      socket.destroy();
      resolve(why);
    };
    socket.on("connect", () => end(undefined));
    socket.on("timeout", () => end("ETIMEDOUT"));
    socket.on("error", (error) => end(error.code ?? error.message));
  });
}

/**
 * A connection to the first core that takes this thing, of all addresses that discovery gave. `result` notes how
 * far it got.
 */
export async function connectToCore(connection, groups, result) {
  const candidates = groups.flatMap(({ cas, cores }) =>
    cores.flatMap(({ arn, addresses }) =>
      addresses.map((address) => ({ ...address, cas, core: arn.replace(/^.*:thing\//, "") })),
    ),
  );
  result.addresses = candidates.map(({ host, port, metadata }) => ({ host, port, metadata }));
  if (candidates.length === 0) {
    throw noCore(`the answer names no address of a core of ${connection.thing}`);
  }
  result.stage = "connect";
  const unreachable = await Promise.all(candidates.map(probe));
  const { connectAsync } = await import("./mqtt.mjs");
  const tried = [];
  for (const [index, { host, port, cas, core }] of candidates.entries()) {
    const where = `${host}:${port}`;
    try {
      if (unreachable[index] !== undefined) {
        throw new Error(unreachable[index]);
      }
      const client = await connectAsync(
        {
          protocol: "mqtts",
          host,
          port,
          ca: cas,
          cert: readKitFile(connection.certificate),
          key: readKitFile(connection.key),
          clientId: connection.thing,
          protocolVersion: 4,
          clean: true,
          reconnectPeriod: 0,
          connectTimeout: CONNECT_MS,
        },
        undefined,
        false,
      );
      Object.assign(result, { address: where, core });
      return { client, core, where };
    } catch (error) {
      tried.push({ where, code: String(error.code ?? error.message) });
    }
  }
  result.tried = tried;
  throw explainUnreachable(connection.thing, tried);
}

function explainUnreachable(thing, tried) {
  const list = tried.map(({ where, code }) => printable(`${where} (${code})`)).join(", ");
  const has = (pattern) => tried.some(({ code }) => pattern.test(code));
  if (has(/CERT|VERIFY|ISSUER|ALTNAME|SELF_SIGNED/)) {
    return new Stop(
      1,
      `the core's certificate is not to be trusted: ${list}`,
      "another machine has the core's address, or the core has a new CA: run again",
    );
  }
  if (has(/^[2-5]$|not authorized|ECONNRESET|EPIPE|alert|closed|socket|Couldn't connect/i)) {
    return new Stop(
      4,
      `the core refused ${thing}: ${list}`,
      "a device group of aws.greengrass.clientdevices.Auth must have this thing, the " +
        "thing must be associated with the core, and its certificate be active",
    );
  }
  return new Stop(
    1,
    `no address of the core can be reached: ${list}`,
    "let this thing reach the core's network and port, or set the core's address: aws greengrassv2 update-connectivity-info",
  );
}

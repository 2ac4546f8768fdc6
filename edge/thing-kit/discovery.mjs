// Greengrass discovery, for the programs of this kit: where this thing's cores are, and whom to trust there.
// Source: AWS IoT Greengrass Developer Guide, "Greengrass discovery RESTful API".
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ANSWER_LIMIT_BYTES = 1_000_000;
const TIMEOUT_MS = 15_000;

/** The folder of the kit. */
export const kit = dirname(fileURLToPath(import.meta.url));

/** What a person must read instead of a stack trace. */
export class Stop extends Error {
  constructor(exitCode, what, fix) {
    super(fix === undefined ? `error: ${what}` : `error: ${what}\n  fix: ${fix}`);
    this.exitCode = exitCode;
  }
}

/** The bytes of a file of the kit. */
export function readKitFile(path) {
  try {
    return readFileSync(resolve(kit, path));
  } catch (error) {
    throw new Stop(2, `cannot read ${resolve(kit, path)} (${error.code})`, "copy the whole kit folder again");
  }
}

/** What connection.json says. */
export function readConnection() {
  const text = readKitFile("connection.json").toString("utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Stop(2, `connection.json is not JSON: ${error.message}`, "copy the whole kit folder again");
  }
}

/**
 * Gives { status, body } of the discovery request; throws a Stop that explains what went wrong on the way
 * there.
 */
function ask({ thing, host, port, cert, key, ca }) {
  const alpn = port === 443 ? { ALPNProtocols: ["x-amzn-http-ca"] } : {};
  const path = `/greengrass/discover/thing/${encodeURIComponent(thing)}`;
  return new Promise((done, failed) => {
    const stop = (error) =>
      failed(error instanceof Stop ? error : explainConnection(error, { thing, host, port }));
    let sent;
    try {
      sent = request({
        host,
        port,
        path,
        cert,
        key,
        ca,
        timeout: TIMEOUT_MS,
        minVersion: "TLSv1.2",
        agent: false,
        ...alpn,
      });
    } catch (error) {
      stop(error);
      return;
    }
    sent.on("timeout", () =>
      sent.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })),
    );
    sent.on("error", stop);
    sent.on("response", (response) => {
      const chunks = [];
      let size = 0;
      response.on("data", (chunk) => {
        size += chunk.length;
        if (size > ANSWER_LIMIT_BYTES) {
          sent.destroy(new Stop(1, `the answer is larger than ${ANSWER_LIMIT_BYTES} bytes`));
        } else {
          chunks.push(chunk);
        }
      });
      response.on("error", stop);
      response.on("end", () =>
        done({ status: response.statusCode, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    sent.end();
  });
}

function explainConnection(error, { thing, host, port }) {
  const code = error.code ?? "no code";
  const where = `${host}:${port}`;
  if (
    code === "ECONNRESET" ||
    code === "EPIPE" ||
    /socket hang up|handshake failure|alert/i.test(error.message)
  ) {
    return emptyReply(thing, `${where} ended the connection without an answer (${code})`);
  }
  if (/CERT|VERIFY|ISSUER|ALTNAME/.test(code)) {
    return new Stop(
      1,
      `the certificate of ${where} is not to be trusted (${code})`,
      "something stands between you and AWS, or --ca names the wrong CA; nothing was sent",
    );
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new Stop(1, `there is no host ${host} (${code})`, "check the region and DNS");
  }
  if (["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"].includes(code)) {
    const fix = port === 443 ? "check the network" : "try --port 443, which most networks let out";
    return new Stop(1, `cannot reach ${where} (${code})`, fix);
  }
  if (/OSSL|PEM|KEY/.test(code)) {
    return new Stop(
      2,
      `the thing's certificate or key cannot be used (${code})`,
      "copy the whole kit folder again",
    );
  }
  return new Stop(1, `asking ${where} failed: ${error.message} (${code})`);
}

/** "Troubleshooting client devices" in the developer guide: an inactive certificate gives an empty reply. */
function emptyReply(thing, what) {
  return new Stop(
    4,
    what,
    `most likely the certificate of ${thing} is not active, or not one of this account and region; see the AWS IoT console`,
  );
}

function explainStatus(status, body, thing) {
  const said = body.trim() === "" ? "" : `; it said: ${printable(body.slice(0, 300))}`;
  if (status === 403) {
    return new Stop(
      4,
      `403: ${thing} may not ask for its cores${said}`,
      `its certificate must be attached to the thing ${thing} and have a policy that allows greengrass:Discover on it`,
    );
  }
  if (status === 404) {
    return noCore(`404: ${thing} has no core to find${said}`);
  }
  return new Stop(1, `the answer was HTTP ${status}${said}`);
}

export function noCore(what) {
  return new Stop(
    4,
    what,
    "one of: the thing is not associated with a core device; the core has no address yet " +
      "(aws.greengrass.clientdevices.IPDetector not deployed); the core runs no aws.greengrass.clientdevices.Auth",
  );
}

/** The value of a key, in whatever case: AWS's own examples differ in it. */
function field(object, name) {
  if (object === null || typeof object !== "object") {
    return undefined;
  }
  const key = Object.keys(object).find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : object[key];
}

function list(value) {
  return Array.isArray(value) ? value : [];
}

/**
 * Gives [{ id, cas: [PEM], cores: [{ arn, addresses: [{ host, port, metadata }] }] }] from the answer's text.
 */
function parseGroups(body) {
  let answer;
  try {
    answer = JSON.parse(body);
  } catch {
    throw new Stop(1, `the answer is not JSON: ${printable(body.slice(0, 100))}`);
  }
  return list(field(answer, "GGGroups")).map((group) => ({
    id: String(field(group, "GGGroupId") ?? "group"),
    cas: list(field(group, "CAs")).filter((ca) => typeof ca === "string"),
    cores: list(field(group, "Cores")).map((core) => ({
      arn: String(field(core, "thingArn") ?? "unknown core"),
      addresses: list(field(core, "Connectivity")).map((one) => ({
        host: String(field(one, "hostAddress") ?? ""),
        port: Number(field(one, "portNumber")),
        metadata: String(field(one, "metadata") ?? ""),
      })),
    })),
  }));
}

/** Text from the network, without what a terminal would obey. */
export function printable(text) {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, "?");
}

/**
 * Where discovery answers: as the person says, else as connection.json does; in the sandbox where the one
 * that runs says.
 */
function discoveryEndpoint(connection, options) {
  let { discovery_host: host, discovery_port: port } = connection;
  if (connection.sandbox === true && options.host === undefined) {
    ({ host, port } = sandboxEndpoint(connection));
  }
  host = options.host ?? host;
  port = Number(options.port ?? port);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new Stop(2, `not a port: ${options.port ?? port}`);
  }
  return { host, port };
}

/** A sandbox that runs says in its file where it is; the ports are other ones each time. */
function sandboxEndpoint({ data_plane: file }) {
  try {
    return JSON.parse(readFileSync(resolve(kit, file ?? ""), "utf8")).discovery;
  } catch {
    throw new Stop(
      4,
      "no sandbox is running where this kit was built",
      "run `dospesos sandbox` there, or name its discovery endpoint with --host, --port and --ca, or build this kit for a real account",
    );
  }
}

/**
 * Asks where the thing's cores are. Gives the groups as parseGroups does; throws a Stop that says what to
 * do.
 */
export async function discover(connection, options) {
  const { host, port } = discoveryEndpoint(connection, options);
  const ca = (options.ca === undefined ? [connection.ca ?? []].flat() : [resolve(options.ca)]).map(
    readKitFile,
  );
  if (ca.length === 0) {
    throw new Stop(2, "connection.json names no CA file", "copy the whole kit folder again");
  }
  const { thing } = connection;
  const identity = { cert: readKitFile(connection.certificate), key: readKitFile(connection.key) };
  const { status, body } = await ask({ thing, host, port, ca, ...identity });
  if (status !== 200) {
    throw explainStatus(status, body, thing);
  }
  if (body.trim() === "") {
    throw emptyReply(thing, "the answer is empty");
  }
  return parseGroups(body);
}

function writeCa(group) {
  const path = join(kit, `core-ca-${group.id.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 100)}.pem`);
  const text = group.cas.map((ca) => `${ca.trim()}\n`).join("");
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
    writeFileSync(`${path}.new`, text, { mode: 0o644 });
    renameSync(`${path}.new`, path);
  }
  return path;
}

/**
 * Prints each core with its CA file and every address, since any one may be the one that this thing can reach.
 * Writes the CA files into the kit. Gives the number of addresses.
 */
export function printCores(groups) {
  let addresses = 0;
  for (const group of groups) {
    const ca = group.cas.length === 0 ? "(none in the answer)" : writeCa(group);
    for (const core of group.cores) {
      console.log(`core ${printable(core.arn.replace(/^.*:thing\//, ""))}`);
      console.log(`  CA file  ${ca}`);
      for (const address of core.addresses) {
        addresses += 1;
        console.log(
          `  address  ${printable(`${address.host}:${address.port}  ${address.metadata}`).trimEnd()}`,
        );
      }
    }
  }
  return addresses;
}

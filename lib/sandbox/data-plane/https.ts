import { createServer, type IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { AccountFile } from "../account-file.ts";
import type { Region } from "../account.ts";
import { iotArn } from "../arns.ts";
import { decide, type Principal } from "../iot/authorization.ts";
import type { Observations } from "./observations.ts";
import { peerCertificate, thingOf } from "./peer.ts";
import { addressOf } from "./tls-port.ts";

/** What a request of the data plane comes to. */
export interface Answered {
  /** Undefined: the connection ends without an answer. */
  readonly status?: number;
  readonly body?: object;
  /** AWS's name of an error, which its SDKs read from a header. */
  readonly errorType?: string;
  /** For a person, where it was refused. */
  readonly why?: string;
}

/** A request, with who makes it. */
export interface Asked {
  readonly region: Region;
  readonly principal: Principal;
  readonly headers: IncomingMessage["headers"];
  /** The parts of the path that the pattern names, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly text: string;
  /** The address of this machine that was asked. */
  readonly address: string;
  /** Undefined where the policies allow the action on the resource; else the answer. */
  readonly must: (action: string, resource: string) => Answered | undefined;
  /** Keeps what changed in the account. */
  readonly save: () => Promise<void>;
}

/** One operation: "GET /greengrass/discover/thing/{thing}", and what it does. */
export interface Route {
  readonly pattern: string;
  readonly handle: (asked: Asked) => Answered | Promise<Answered>;
  /** What a certificate that is not known or not active gets: 403, or no answer at all. */
  readonly silent?: boolean;
}

export interface HttpsOptions {
  readonly file: AccountFile;
  readonly region: string;
  readonly routes: readonly Route[];
  readonly observed: Observations;
  /** Told each request and its answer: "core-1 -> GET PATH BODY", "core-1 <- 200 BODY". */
  readonly trace: (line: string) => void;
  readonly log: (line: string) => void;
}

/** A request of Greengrass' data plane has 1 MB at most; the largest that a core sends is far smaller. */
const MOST_BYTES = 1024 * 1024;

export function thingArn(region: Region, thing: string): string {
  return iotArn(region, `thing/${thing}`);
}

/** The HTTPS endpoints of the data plane, for connections whose mutual TLS is done. */
export function openHttps({ file, region: name, routes, observed, trace, log }: HttpsOptions) {
  const region = file.account.region(name);
  const compiled = routes.map((route) => ({ route, ...compiledPattern(route.pattern) }));
  const answer = async (request: IncomingMessage): Promise<Answered> => {
    const url = new URL(request.url ?? "/", "https://localhost");
    const found = compiled.flatMap(({ route, method, path }) => {
      const match = method === request.method ? path.exec(url.pathname) : null;
      return match === null ? [] : [{ route, groups: match.groups ?? {} }];
    })[0];
    if (found === undefined) {
      const what = `${request.method} ${url.pathname}`;
      return {
        status: 501,
        body: { message: `The sandbox does not know ${what}` },
        why: "nobody here answers that",
      };
    }
    const certificate = peerCertificate(region, request.socket);
    if (typeof certificate === "string") {
      return found.route.silent === true ? { why: certificate } : { ...FORBIDDEN, why: certificate };
    }
    const said = request.headers["x-amzn-iot-thingname"];
    const principal = {
      certificate,
      thing: thingOf(region, certificate, typeof said === "string" ? said : undefined),
    };
    const text = await bodyOf(request);
    trace(`${nameOf(request) ?? ""} -> ${request.method} ${request.url} ${text}`.trimEnd());
    return await found.route.handle({
      region,
      principal,
      headers: request.headers,
      path: Object.fromEntries(
        Object.entries(found.groups).map(([key, part]) => [key, decodeURIComponent(part)]),
      ),
      query: url.searchParams,
      text,
      address: request.socket.localAddress ?? "127.0.0.1",
      must: (action, resource) => {
        const { allowed, why } = decide(region, principal, action, resource);
        return allowed ? undefined : { ...FORBIDDEN, why };
      },
      save: () => file.save(),
    });
  };
  const server = createServer((request, response) => {
    answer(request)
      .catch((error: unknown): Answered => {
        const why = error instanceof Error ? error.message : String(error);
        return { status: error instanceof URIError ? 400 : 500, body: { message: why }, why };
      })
      .then(({ status, body, errorType, why }) => {
        if (why !== undefined) {
          observed.note(
            nameOf(request),
            addressOf(request.socket),
            `asks ${request.method} ${pathOf(request)}: ${why}`,
          );
        }
        if (status === undefined) {
          return void request.socket.destroy();
        }
        trace(`${nameOf(request) ?? ""} <- ${status} ${JSON.stringify(body ?? {})}`);
        const type = errorType === undefined ? {} : { "x-amzn-errortype": errorType };
        response
          .writeHead(status, { "content-type": "application/json", ...type })
          .end(JSON.stringify(body ?? {}));
      })
      .catch((error: unknown) => log(`https: ${String(error)}`));
  });
  return {
    accept: (socket: TLSSocket) => void server.emit("connection", socket),
    close: async () => {
      server.closeAllConnections();
      await Promise.resolve();
    },
  };
}

const FORBIDDEN = { status: 403, body: { message: "Forbidden" } } as const;

function nameOf({ socket }: IncomingMessage): string | undefined {
  const name = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined;
  return name === undefined ? undefined : String(name);
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?")[0] ?? "/";
}

/** "{name}" is one part of the path, "{name+}" is all that follows. */
function compiledPattern(pattern: string): { method: string; path: RegExp } {
  const [method = "", path = ""] = pattern.split(" ");
  const source = path.replaceAll(/\{(\w+)(\+?)\}/g, (_, key: string, all: string) =>
    all === "" ? `(?<${key}>[^/]+)` : `(?<${key}>.+)`,
  );
  return { method, path: new RegExp(`^${source}$`) };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MOST_BYTES) {
      throw new Error(`a request of more than ${MOST_BYTES} bytes`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

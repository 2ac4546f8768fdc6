import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { SANDBOX_ACCOUNT } from "./account.ts";
import { openAccountFile, type AccountFile } from "./account-file.ts";
import { proofFor } from "./data-plane/record.ts";
import { answer, scopeOf } from "./dispatch.ts";
import { newThrottle, type Throttle } from "./throttle.ts";
import { answerS3 } from "./s3.ts";

/** More than any request that AWS would accept. */
const BODY_LIMIT = 1024 * 1024;

export interface SandboxOptions {
  /** Where the account is kept. The file is made where there is none. */
  readonly file: string;
  /** The region of a request that names none. */
  readonly region: string;
  /** 0 or absent: a free one. */
  readonly port?: number;
  /** Whether calls above AWS's quotas are refused. */
  readonly throttled?: boolean;
}

/** A sandbox that answers. */
export interface Sandbox {
  /** e.g. "http://127.0.0.1:40123" */
  readonly endpoint: string;
  readonly accountId: string;
  /** The certificate of the CA that signs this sandbox's client certificates. */
  readonly caPem: string;
  /**
   * Stops listening and ends idle connections at once; resolves when the last request under way is answered.
   */
  close: () => Promise<void>;
}

/**
 * Starts the stand-in for an AWS account on the loopback interface. It speaks AWS's wire formats over plain
 * HTTP; any credentials do, for signatures are not checked.
 * @throws ProblemError (exit 4) where the account file is unreadable or damaged.
 */
export async function openSandbox({ file, region, port, throttled }: SandboxOptions): Promise<Sandbox> {
  const options = { ...(port === undefined ? {} : { port }), ...(throttled === true ? { throttled } : {}) };
  return await serveAccount(await openAccountFile(file), region, options);
}

/** What a sandbox answers beside AWS's APIs. */
export interface Own {
  /** Proves which sandbox this is. */
  readonly token: string;
  readonly extra: (request: IncomingMessage) => string | undefined;
}

export interface ServeOptions extends Pick<SandboxOptions, "port" | "throttled"> {
  readonly own?: Own;
}

/** Serves an account that is open already. */
export async function serveAccount(
  accountFile: AccountFile,
  region: string,
  { port = 0, own, throttled = false }: ServeOptions = {},
): Promise<Sandbox> {
  const throttle = throttled ? newThrottle() : undefined;
  const server = createServer((request, response) => {
    if (!isFromHere(request)) {
      return void response
        .writeHead(403, { connection: "close" })
        .end("only programs on this machine may ask\n");
    }
    const said = own === undefined ? undefined : (proofFor(request.url, own.token) ?? own.extra(request));
    if (said !== undefined) {
      return void response.end(said);
    }
    if (scopeOf(request).service === "s3") {
      return void answerS3(accountFile.objects, request, response).catch(() => response.destroy());
    }
    void respond(accountFile, region, throttle, request, response);
  });
  const address = await listening(server, port);
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    accountId: SANDBOX_ACCOUNT,
    caPem: accountFile.account.identity.ca.certificate,
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeIdleConnections();
      await closed;
      await accountFile.close();
    },
  };
}

const LOOPBACK = /(?:^|\.)(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/;

/**
 * A browser sends an Origin with what a web page asks of another host, and the page's host where its name was made to
 * lead here (DNS rebinding): neither is a program of this machine.
 */
function isFromHere({ headers }: IncomingMessage): boolean {
  return headers.origin === undefined && LOOPBACK.test(headers.host ?? "");
}

async function listening(server: Server, port: number): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("a TCP server has an address and a port");
  }
  return address;
}

async function respond(
  file: AccountFile,
  region: string,
  throttle: Throttle | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    response.writeHead(413, { connection: "close" }).end();
    return;
  }
  const url = request.url ?? "/";
  const queryStart = url.includes("?") ? url.indexOf("?") : url.length;
  const {
    status,
    headers,
    body: text,
  } = await answer(
    file,
    {
      method: request.method ?? "GET",
      path: url.slice(0, queryStart),
      query: new URLSearchParams(url.slice(queryStart + 1)),
      headers: request.headers,
      body,
    },
    region,
    throttle,
  );
  response.writeHead(status, { ...headers, "x-amzn-requestid": randomUUID() }).end(text);
}

/** The body, or undefined where it is too large or its sender went away. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > BODY_LIMIT) {
        return undefined;
      }
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString("utf8");
}

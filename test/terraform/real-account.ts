import { rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { greengrassOperations } from "../../lib/sandbox/greengrass/index.ts";
import { iotOperations } from "../../lib/sandbox/iot/index.ts";
import { findRestOperation } from "../../lib/sandbox/rest-json.ts";
import { openSandbox, type Sandbox } from "../../lib/sandbox/server.ts";
import { tempFolder } from "../support/temp.ts";
import { REGION } from "./rig.ts";

export const ACCOUNT = "123456789012";
const SANDBOX = "000000000000";

/** Settings for the account, with the core's key on the laptop: there is no device to make one. */
export function inRealAccount(settings: string): string {
  return settings
    .replace("account = sandbox", `account = ${ACCOUNT}`)
    .replace("group = my-group", "group = my-group\nkey = laptop");
}

/** What answers like AWS for an account that is no sandbox, and how a program is told to ask it. */
export interface StandIn {
  readonly environment: NodeJS.ProcessEnv;
  readonly file: string;
  /** The IAM actions that were called, e.g. "iot:DescribeThing". */
  readonly calls: Set<string>;
  /** Puts another account in place, as it is in a file's text. */
  reset: (text: string) => Promise<void>;
  close: () => Promise<void>;
}

/** An error instead of an answer, as AWS IoT words it. */
export interface Refusal {
  readonly status: number;
  readonly type: string;
  readonly message: string;
}

/**
 * The sandbox behind a proxy that gives it another account id. `skew`: by how many milliseconds its clock is
 * ahead; `latency`: how long an answer takes on its way, after what was asked for has happened; `refuse`: what is
 * refused, by method and path.
 */
export async function standIn({
  skew = 0,
  latency = (): number => 0,
  refuse = (_method: string, _path: string): Refusal | undefined => undefined,
  file = `${tempFolder("account")}/account.json`,
} = {}): Promise<StandIn> {
  let sandbox = await openSandbox({ file, region: REGION });
  const calls = new Set<string>();
  const proxy = await listen(
    () => sandbox,
    skew,
    latency,
    (method, path, authorization, body) => {
      calls.add(actionOf(method, path, authorization, body));
      return refuse(method, path);
    },
  );
  return {
    file,
    calls,
    environment: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "example",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    },
    reset: async (content) => {
      await sandbox.close();
      writeFileSync(file, content);
      rmSync(file.replace(/json$/, "log"), { force: true });
      sandbox = await openSandbox({ file, region: REGION });
    },
    close: async () => {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
      await sandbox.close();
    },
  };
}

async function listen(
  sandbox: () => Sandbox,
  skew: number,
  latency: () => number,
  refuse: (method: string, path: string, authorization: string, body: string) => Refusal | undefined,
): Promise<Server> {
  const proxy = createServer((incoming, outgoing) => {
    void (async () => {
      const asked = (await text(incoming)).replaceAll(ACCOUNT, SANDBOX);
      const refusal = refuse(incoming.method!, incoming.url!, incoming.headers.authorization ?? "", asked);
      if (refusal !== undefined) {
        const { status, type, message } = refusal;
        outgoing.writeHead(status, { "content-type": "application/json", "x-amzn-errortype": type });
        return void outgoing.end(JSON.stringify({ message }));
      }
      const { endpoint } = sandbox();
      const ahead = request(
        endpoint + incoming.url!.replaceAll(ACCOUNT, SANDBOX),
        {
          method: incoming.method,
          headers: { ...incoming.headers, ...principal(incoming.headers), host: new URL(endpoint).host },
        },
        (answer) => {
          void (async () => {
            const body = (await text(answer)).replaceAll(SANDBOX, ACCOUNT);
            await new Promise((resolve) => setTimeout(resolve, latency()));
            outgoing
              .writeHead(answer.statusCode ?? 500, {
                ...answer.headers,
                date: new Date(Date.now() + skew).toUTCString(),
              })
              .end(body);
          })();
        },
      );
      ahead.on("error", () => outgoing.destroy());
      ahead.end(asked);
    })();
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return proxy;
}

/** Principals travel in headers: ARNs with the account in them. */
function principal(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === "string" && value.includes(ACCOUNT)
        ? [[name, value.replaceAll(ACCOUNT, SANDBOX)]]
        : [],
    ),
  );
}

async function text(stream: AsyncIterable<Buffer | string>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) {
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** The IAM action of a request: the service is in its signature's scope. */
function actionOf(method: string, url: string, authorization: string, body: string): string {
  const service = /Credential=[^/]*\/\d+\/[a-z0-9-]+\/([a-z0-9-]+)\//.exec(authorization)?.[1] ?? "";
  if (service !== "iot" && service !== "greengrass") {
    return `${service}:${new URLSearchParams(body).get("Action") ?? "?"}`;
  }
  const operations = service === "iot" ? iotOperations : greengrassOperations;
  const [path = "", query] = url.split("?");
  const one = { method, path, query: new URLSearchParams(query), headers: {}, body };
  return `${service}:${findRestOperation(operations, one)?.operation.name ?? `${method} ${path}`}`;
}

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ObjectStore } from "../objects.ts";
import { sendObject } from "../s3.ts";

export interface Artifacts {
  /** The URL that a core fetches an artifact from, which reached the sandbox at that address. */
  readonly url: (name: string, address: string) => string | undefined;
  close: () => Promise<void>;
}

/**
 * Serves artifacts to cores at URLs that nobody guesses, as S3 does with presigned ones. Plain HTTP: a core
 * holds what it fetches against the digest in its recipe.
 */
export async function openArtifacts(objects: ObjectStore, hosts: readonly string[]): Promise<Artifacts> {
  const token = randomBytes(16).toString("hex");
  const servers = hosts.map(() =>
    createServer((request, response) => {
      const [, given, name = ""] = /^\/([0-9a-f]+)\/([A-Za-z0-9_-]+)$/.exec(request.url ?? "") ?? [];
      const asked = Buffer.from(name, "base64url").toString();
      if (request.method !== "GET" || given !== token || !objects.has(asked)) {
        return void response.writeHead(404).end();
      }
      sendObject(objects, asked, false, response);
    }),
  );
  const close = async (): Promise<void> => {
    for (const server of servers) {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    }
  };
  let port = 0;
  try {
    for (const [index, server] of servers.entries()) {
      server.listen(port, hosts[index]);
      await once(server, "listening");
      port = (server.address() as AddressInfo).port;
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: (name, address) =>
      objects.has(name)
        ? `http://${address.includes(":") ? `[${address}]` : address}:${port}/${token}/${Buffer.from(name).toString("base64url")}`
        : undefined,
    close,
  };
}

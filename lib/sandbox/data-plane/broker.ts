import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import type { Aedes, AedesOptions } from "aedes";
import type { ServerIdentity } from "../../pki/ca.ts";
import { awaitConnect } from "./first-packet.ts";
import { MUTUAL_TLS } from "./peer.ts";

export interface BrokerOptions {
  readonly identity: ServerIdentity;
  /** PEM of the CA that clients' certificates come from. */
  readonly clientCa: string;
  /** 0: a free one. */
  readonly port: number;
  /** Told of a connection that ended before it was one. */
  readonly refused: (why: string) => void;
}

/** An MQTT 3.1.1 broker with mutual TLS on the loopback interface. */
export interface Broker {
  readonly port: number;
  readonly aedes: Aedes;
  close: () => Promise<void>;
}

/** Who may connect, publish, subscribe and receive. */
export type BrokerRules = Required<
  Pick<AedesOptions, "preConnect" | "authorizePublish" | "authorizeSubscribe" | "authorizeForward">
>;

export async function openBroker(
  { identity, clientCa, port, refused }: BrokerOptions,
  rules: BrokerRules,
): Promise<Broker> {
  const { Aedes } = await import("aedes");
  // A client id may have 128 characters, where MQTT 3.1 had 23 (AWS IoT Core endpoints and quotas).
  const aedes = await Aedes.createBroker({
    ...rules,
    maxClientsIdLength: 128,
    preConnect: (client, packet, done) =>
      rules.preConnect(client, packet, (error, accepted) => {
        done(error, accepted);
        // aedes itself leaves a refused client waiting; AWS IoT ends its connection.
        if (!accepted) {
          client.conn.destroy();
        }
      }),
  });
  // A refused client is reported by the rules; without a listener aedes would end the process.
  aedes.on("clientError", () => {});
  aedes.on("connectionError", () => {});
  const sockets = new Set<TLSSocket>();
  const server = createServer(
    { key: identity.key, cert: identity.certificate, ca: clientCa, ...MUTUAL_TLS },
    (socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => {});
      awaitConnect(
        socket,
        (ready) => aedes.handle(ready),
        (why) => refused(why),
      );
    },
  );
  server.on("tlsClientError", (error: NodeJS.ErrnoException) => {
    // Who only looks whether the port answers goes away again before TLS begins.
    if (error.code !== "ECONNRESET") {
      refused(`TLS failed: ${error.code ?? error.message}`);
    }
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    aedes,
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      await new Promise<void>((resolve) => aedes.close(resolve));
      for (const socket of sockets) {
        socket.destroy();
      }
      await closed;
    },
  };
}

/** Publishes on behalf of the broker itself. */
export function publish(aedes: Aedes, topic: string, payload: object): void {
  aedes.publish(
    {
      cmd: "publish",
      topic,
      payload: Buffer.from(JSON.stringify(payload)),
      qos: 1,
      retain: false,
      dup: false,
    },
    () => {},
  );
}

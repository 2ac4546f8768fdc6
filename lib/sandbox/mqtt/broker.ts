import type { TLSSocket } from "node:tls";
import type { Aedes, AedesOptions, AedesPublishPacket, Client } from "aedes";
import { MqttConnection } from "./connection.ts";
import { KEEP_ALIVE, NOT_AUTHORIZED, SHUTTING_DOWN, TAKEN_OVER } from "./endings.ts";
import { sealed } from "./envelope.ts";
import { awaitConnect } from "./first-packet.ts";
import { Sessions } from "./sessions.ts";
import type { ConnectionOptions, Wire } from "./wire.ts";

/** Who may connect, publish, subscribe and receive. */
export interface BrokerRules {
  /** Why the client may not connect; undefined where it may. */
  readonly refusal: (connection: Wire) => string | undefined;
  readonly mayPublish: (connection: Wire, topic: string, retain: boolean) => boolean;
  readonly maySubscribe: (connection: Wire, filter: string) => boolean;
  readonly mayReceive: (connection: Wire, topic: string) => boolean;
}

export interface BrokerOptions extends Pick<ConnectionOptions, "versions" | "limits" | "note"> {
  readonly rules: BrokerRules;
}

/** A message that the broker itself sends. */
export interface Sent {
  readonly topic: string;
  readonly payload: Buffer;
}

/** An MQTT broker; TLS is before it. */
export interface Broker {
  /** Takes a client whose TLS is done. */
  readonly accept: (socket: TLSSocket) => void;
  readonly connections: () => Wire[];
  /** Gives a message to a client, whether it subscribed or not. */
  readonly answer: (connection: Wire, message: Sent) => void;
  /** Gives a message to all who subscribed. */
  readonly publish: (message: Sent) => void;
  readonly on: {
    readonly connected: (listener: (connection: Wire) => void) => void;
    readonly ended: (listener: (connection: Wire) => void) => void;
    /** `payload` is sealed (see envelope.ts). */
    readonly published: (listener: (connection: Wire, message: Sent) => void) => void;
  };
  readonly close: () => Promise<void>;
}

export async function openBroker({ rules, note, versions, limits }: BrokerOptions): Promise<Broker> {
  const { Aedes: Implementation } = await import("aedes");
  const accepted = new Set<MqttConnection>();
  const connected = new Map<string, Client>();
  const connectionOptions: ConnectionOptions = {
    versions,
    limits,
    note,
    mayPublish: (connection, topic) => rules.mayPublish(connection, topic, false),
  };
  const aedes: Aedes = await Implementation.createBroker({
    ...hooks(rules, () => sessions, connected),
    // A client id may have 128 characters, where MQTT 3.1 had 23 (AWS IoT Core endpoints and quotas).
    maxClientsIdLength: 128,
  });
  const sessions = new Sessions(aedes, (id) => connected.has(id));
  // A refused client is reported by the rules; without a listener aedes would end the process.
  aedes.on("clientError", () => {});
  aedes.on("connectionError", () => {});
  aedes.on("keepaliveTimeout", (client) => connectionOf(client).endWith(KEEP_ALIVE));
  aedes.on("client", (client) => void connected.set(client.id, client));
  aedes.on("clientDisconnect", (client) => {
    if (connected.get(client.id) === client) {
      connected.delete(client.id);
    }
    const connection = connectionOf(client);
    if (connection.session !== undefined) {
      sessions.left(client.id, connection.session);
    }
  });
  return {
    accept: (socket) => {
      socket.on("error", () => {});
      awaitConnect(
        socket,
        (ready) => {
          const connection = new MqttConnection(ready, connectionOptions);
          accepted.add(connection);
          connection.on("close", () => accepted.delete(connection));
          connection.on("error", () => {});
          aedes.handle(connection);
        },
        (why) => note(undefined, `${socket.remoteAddress}:${socket.remotePort}`, `was refused: ${why}`),
      );
    },
    connections: () => [...connected.values()].map(connectionOf),
    answer: (connection, message) => {
      connected.get(connection.clientId)?.publish(packetOf(message), () => {});
    },
    publish: (message) => aedes.publish(packetOf(message), () => {}),
    on: {
      connected: (listener) => void aedes.on("client", (client) => listener(connectionOf(client))),
      ended: (listener) => void aedes.on("clientDisconnect", (client) => listener(connectionOf(client))),
      published: (listener) =>
        void aedes.on("publish", ({ topic, payload }, client) => {
          if (client !== null) {
            listener(connectionOf(client), { topic, payload: Buffer.from(payload) });
          }
        }),
    },
    close: async () => {
      sessions.close();
      for (const connection of accepted) {
        connection.endWith(SHUTTING_DOWN);
      }
      await new Promise<void>((resolve) => aedes.close(resolve));
    },
  };
}

/** Every stream that aedes is given is one of ours. */
function connectionOf({ conn }: Client): MqttConnection {
  return conn as MqttConnection;
}

function packetOf({ topic, payload }: Sent) {
  const packet = { cmd: "publish", topic, payload, qos: 1, retain: false, dup: false } as const;
  return { ...packet, payload: sealed(packet) };
}

function hooks(
  rules: BrokerRules,
  sessions: () => Sessions,
  connected: ReadonlyMap<string, Client>,
): AedesOptions {
  return {
    preConnect: (client, _, done) => {
      const connection = connectionOf(client);
      const why = rules.refusal(connection);
      if (why !== undefined) {
        connection.note(`was refused: ${why}`);
        done(null, false);
        // aedes itself leaves a refused client waiting; AWS IoT ends its connection.
        return connection.endWith(NOT_AUTHORIZED);
      }
      const other = connected.get(connection.clientId);
      if (other !== undefined) {
        const { from = "an address that is gone" } = connectionOf(other);
        connection.note(
          `takes over from ${from}: a client id is one connection, and two with one cut each other off`,
        );
        connectionOf(other).endWith(TAKEN_OVER);
      }
      sessions()
        .open(connection.clientId, connection.isCleanStart)
        .then((session) => {
          session.expiry = connection.expiry;
          connection.session = session;
          done(null, true);
        })
        .catch((error: unknown) => done(error as Error, false));
    },
    authorizePublish: (client, packet, done) => {
      if (client === null) {
        return done(null);
      }
      const connection = connectionOf(client);
      if (rules.mayPublish(connection, packet.topic, packet.retain)) {
        return done(null);
      }
      connection.endWith(NOT_AUTHORIZED);
      done(new Error("not allowed"));
    },
    authorizeSubscribe: (client, subscription, done) => {
      const connection = connectionOf(client);
      // A session that goes on was allowed when it subscribed, and what it receives is asked for each message.
      done(null, rules.maySubscribe(connection, subscription.topic) ? subscription : null);
    },
    authorizeForward: (client, packet) =>
      rules.mayReceive(connectionOf(client), packet.topic) && sessions().wants(client.id, deliveryOf(packet))
        ? packet
        : null,
  };
}

function deliveryOf(packet: AedesPublishPacket) {
  const { topic, retain, brokerCounter } = packet;
  const { clientId } = packet as { clientId?: string };
  return { topic, from: clientId, number: brokerCounter, isRetained: retain };
}

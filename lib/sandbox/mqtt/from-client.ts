import { randomUUID } from "node:crypto";
import {
  generate,
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type IUnsubscribePacket,
  type Packet,
} from "mqtt-packet";
import { shown } from "../../problem/index.ts";
import {
  BAD_ALIAS,
  BAD_CLIENT_ID,
  BAD_PROTOCOL_VERSION,
  LEFT,
  NOT_AUTHORIZED,
  PROTOCOL_ERROR,
} from "./endings.ts";
import { sealed } from "./envelope.ts";
import {
  BROKER_PROPERTIES,
  SESSION_SECONDS,
  SUBSCRIPTIONS,
  connectExcess,
  keepAliveOf,
  publishExcess,
  subscribeExcess,
  tooManySubscriptions,
} from "./limits.ts";
import { plainFilter } from "./sessions.ts";
import type { ConnectionOptions, Wire } from "./wire.ts";

const QUOTA_EXCEEDED = 0x97;
/** DISCONNECT of MQTT 5 that wants its will sent. */
const WITH_WILL = 0x04;

/** What a client says: refused by name where AWS does not take it, else handed to the broker in MQTT 3.1.1. */
export class FromClient {
  readonly #wire: Wire;
  readonly #options: ConnectionOptions;
  readonly #aliases = new Map<number, string>();

  constructor(wire: Wire, options: ConnectionOptions) {
    this.#wire = wire;
    this.#options = options;
  }

  received(packet: Packet): void {
    if (this.#wire.destroyed) {
      return;
    }
    if ((packet.cmd === "connect") === (this.#wire.connect !== undefined)) {
      return this.#wire.exceeds({ what: `${packet.cmd.toUpperCase()} out of turn`, ending: PROTOCOL_ERROR });
    }
    switch (packet.cmd) {
      case "connect":
        return this.#receivedConnect(packet);
      case "publish":
        return this.#receivedPublish(packet);
      case "subscribe":
        return this.#receivedSubscribe(packet);
      case "unsubscribe":
        return this.#receivedUnsubscribe(packet);
      case "disconnect":
        if (packet.properties?.sessionExpiryInterval !== undefined && this.#wire.session !== undefined) {
          this.#wire.session.expiry = Math.min(packet.properties.sessionExpiryInterval, SESSION_SECONDS.most);
        }
        if (packet.reasonCode === WITH_WILL) {
          return this.#wire.endBroker();
        }
        this.#wire.left(LEFT);
        return this.#wire.toBroker({ cmd: "disconnect" });
      case "auth":
        return this.#wire.exceeds({ what: "AUTH, which AWS does not take", ending: PROTOCOL_ERROR });
      default:
        return this.#wire.toBroker(packet);
    }
  }

  #receivedConnect(packet: IConnectPacket): void {
    const { versions, limits } = this.#options;
    this.#wire.connect = packet;
    const version = packet.protocolVersion ?? 4;
    if (!versions.some((one) => one === version)) {
      this.#wire.note(`was refused: it speaks MQTT ${version === 5 ? "5" : "3.1"}, which is not spoken here`);
      if (version !== 5) {
        this.#wire.socket.write(generate({ cmd: "connack", returnCode: 1, sessionPresent: false }));
      }
      return this.#wire.endWith(BAD_PROTOCOL_VERSION);
    }
    if (packet.clientId === "") {
      if (version !== 5) {
        this.#wire.note(`was refused: it has no client id, and in MQTT 3.1.1 nobody assigns one`);
        this.#wire.socket.write(generate({ cmd: "connack", returnCode: 2, sessionPresent: false }));
        return this.#wire.endWith(BAD_CLIENT_ID);
      }
      this.#wire.assigned = randomUUID();
    }
    const excess = limits ? connectExcess(packet) : undefined;
    if (excess !== undefined) {
      return this.#wire.exceeds(excess);
    }
    const keepalive = limits ? keepAliveOf(packet) : (packet.keepalive ?? 0);
    this.#wire.keepAlive = keepalive === packet.keepalive ? undefined : keepalive;
    const { properties: _, will, ...rest } = packet;
    this.#wire.toBroker({
      ...rest,
      clientId: this.#wire.clientId,
      protocolVersion: 4,
      keepalive,
      clean: this.#wire.isCleanStart && this.#wire.expiry === 0,
      ...(will === undefined ? {} : { will: { ...will, payload: sealedWill(will), properties: {} } }),
    });
  }

  #receivedPublish(packet: IPublishPacket): void {
    const alias = packet.properties?.topicAlias;
    if (alias !== undefined) {
      if (alias === 0 || alias > BROKER_PROPERTIES.topicAliasMaximum) {
        return this.#wire.exceeds({
          what: `the topic alias ${alias}, where AWS takes 1 to 8`,
          ending: BAD_ALIAS,
        });
      }
      if (packet.topic !== "") {
        this.#aliases.set(alias, packet.topic);
      }
    }
    const topic = packet.topic === "" ? (this.#aliases.get(alias ?? 0) ?? "") : packet.topic;
    if (topic === "" || /[+#]/.test(topic)) {
      return this.#wire.exceeds({ what: `a message to the topic ${shown(topic)}`, ending: PROTOCOL_ERROR });
    }
    const excess = this.#options.limits ? publishExcess({ ...packet, topic }) : undefined;
    if (excess !== undefined) {
      return this.#wire.exceeds(excess);
    }
    if (this.#wire.version === 5 && packet.qos === 1 && !this.#options.mayPublish(this.#wire, topic)) {
      return this.#wire.toClient({
        cmd: "puback",
        messageId: packet.messageId ?? 0,
        reasonCode: NOT_AUTHORIZED.code,
      });
    }
    const { properties: _, ...rest } = packet;
    this.#wire.toBroker({ ...rest, topic, payload: sealed(packet) });
  }

  #receivedSubscribe(packet: ISubscribePacket): void {
    const excess = this.#options.limits ? subscribeExcess(packet) : undefined;
    if (excess !== undefined) {
      return this.#wire.exceeds(excess);
    }
    const { messageId = 0, subscriptions } = packet;
    this.#wire.asked.set(messageId, subscriptions);
    const added = subscriptions.filter(({ topic }) => this.#wire.session?.has(topic) !== true);
    if (this.#options.limits && (this.#wire.session?.size ?? 0) + added.length > SUBSCRIPTIONS) {
      this.#wire.note(`may not subscribe more: ${tooManySubscriptions(added.at(-1)?.topic ?? "").what}`);
      return this.#wire.fromBroker({
        cmd: "suback",
        messageId,
        granted: subscriptions.map(() => QUOTA_EXCEEDED),
      });
    }
    // Known before the broker brings retained messages, which its SUBACK does not wait for.
    for (const subscription of subscriptions) {
      this.#wire.session?.add(subscription);
    }
    this.#wire.toBroker({
      cmd: "subscribe",
      messageId,
      subscriptions: subscriptions.map(({ topic, qos }) => ({ topic: plainFilter(topic), qos })),
    });
  }

  #receivedUnsubscribe({ messageId = 0, unsubscriptions }: IUnsubscribePacket): void {
    for (const filter of unsubscriptions) {
      this.#wire.session?.remove(filter);
    }
    // Never 0x11, no subscription existed: nucleus lite ends its own connection at it, and gets along with AWS.
    const codes = unsubscriptions.map(() => 0);
    this.#wire.unsubscribed.set(messageId, codes);
    const gone = unsubscriptions
      .map(plainFilter)
      .filter((filter) => this.#wire.session?.needs(filter) !== true);
    if (gone.length === 0) {
      return this.#wire.fromBroker({ cmd: "unsuback", messageId, granted: [] });
    }
    this.#wire.toBroker({ cmd: "unsubscribe", messageId, unsubscriptions: gone });
  }
}

function sealedWill(will: NonNullable<IConnectPacket["will"]>): Buffer {
  const { willDelayInterval: _, ...properties } = will.properties ?? {};
  return sealed({
    cmd: "publish",
    topic: will.topic,
    payload: will.payload,
    qos: 0,
    dup: false,
    retain: will.retain ?? false,
    properties,
  });
}

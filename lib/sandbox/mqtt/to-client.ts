import {
  generate,
  type IConnackPacket,
  type IPublishPacket,
  type ISubackPacket,
  type Packet,
} from "mqtt-packet";
import { shown } from "../../problem/index.ts";
import { NOT_AUTHORIZED } from "./endings.ts";
import { opened, propertiesNow } from "./envelope.ts";
import { BROKER_PROPERTIES } from "./limits.ts";
import type { ConnectionOptions, Wire } from "./wire.ts";

/** How CONNACK's codes of MQTT 3.1.1 read in MQTT 5. */
const CONNACK_CODES = [0, 0x84, 0x85, 0x88, 0x86, 0x87];
const SUBACK_REFUSED = 0x80;

/** What the broker says in MQTT 3.1.1, in the client's version. */
export class ToClient {
  readonly #wire: Wire;
  readonly #options: ConnectionOptions;

  constructor(wire: Wire, options: ConnectionOptions) {
    this.#wire = wire;
    this.#options = options;
  }

  sent(packet: Packet): void {
    switch (packet.cmd) {
      case "connack":
        return this.#sentConnack(packet);
      case "publish":
        return this.#sentPublish(packet);
      case "suback":
        return this.#sentSuback(packet);
      case "unsuback": {
        const messageId = packet.messageId ?? 0;
        const granted = this.#wire.unsubscribed.get(messageId) ?? [];
        this.#wire.unsubscribed.delete(messageId);
        return this.#wire.toClient({ cmd: "unsuback", messageId, granted });
      }
      default:
        return this.#wire.toClient(packet);
    }
  }

  #sentConnack({ returnCode = 0, sessionPresent }: IConnackPacket): void {
    this.#wire.isConnected = returnCode === 0;
    if (this.#wire.version === 4) {
      return this.#wire.toClient({ cmd: "connack", returnCode, sessionPresent });
    }
    this.#wire.toClient({
      cmd: "connack",
      reasonCode: CONNACK_CODES[returnCode] ?? SUBACK_REFUSED,
      sessionPresent,
      properties: {
        ...(this.#options.limits ? BROKER_PROPERTIES : {}),
        ...(this.#wire.keepAlive === undefined ? {} : { serverKeepAlive: this.#wire.keepAlive }),
        ...(this.#wire.assigned === undefined ? {} : { assignedClientIdentifier: this.#wire.assigned }),
        ...(this.#wire.expiry === this.#wire.connect?.properties?.sessionExpiryInterval ||
        this.#wire.expiry === 0
          ? {}
          : { sessionExpiryInterval: this.#wire.expiry }),
      },
    });
  }

  #sentPublish(packet: IPublishPacket): void {
    const message = opened(Buffer.from(packet.payload));
    const properties = propertiesNow(message);
    if (properties === undefined) {
      return this.#acknowledge(packet);
    }
    const retain =
      packet.retain || (message.retain && this.#wire.session?.keepsRetain(packet.topic) === true);
    const { payload } = message;
    const whole: IPublishPacket = {
      ...packet,
      payload,
      retain,
      ...(this.#wire.version === 5 ? { properties } : {}),
    };
    const bytes = generate(whole, { protocolVersion: this.#wire.version });
    const most = this.#wire.connect?.properties?.maximumPacketSize;
    if (most !== undefined && bytes.length > most) {
      const what = `a message of ${bytes.length} bytes on ${shown(packet.topic)}`;
      this.#wire.note(`does not get ${what}: its maximum packet size is ${most} bytes`);
      return this.#acknowledge(packet);
    }
    this.#wire.socket.write(bytes);
  }

  /** What the client does not get is done for the broker. */
  #acknowledge({ qos, messageId }: IPublishPacket): void {
    if (qos === 1 && messageId !== undefined) {
      this.#wire.toBroker({ cmd: "puback", messageId });
    }
  }

  #sentSuback({ messageId = 0, granted }: ISubackPacket): void {
    const asked = this.#wire.asked.get(messageId) ?? [];
    this.#wire.asked.delete(messageId);
    const codes = granted.map(Number).map((code, index) => {
      if (code < SUBACK_REFUSED) {
        return code;
      }
      const filter = asked[index]?.topic;
      if (code === SUBACK_REFUSED && filter !== undefined) {
        this.#wire.session?.remove(filter);
      }
      if (this.#wire.version === 4) {
        return SUBACK_REFUSED;
      }
      return code === SUBACK_REFUSED ? NOT_AUTHORIZED.code : code;
    });
    this.#wire.toClient({ cmd: "suback", messageId, granted: codes });
  }
}

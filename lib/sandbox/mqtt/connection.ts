import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { generate, parser, type IConnectPacket, type ISubscribePacket, type Packet } from "mqtt-packet";
import { LOST, MALFORMED, type Ending } from "./endings.ts";
import { FromClient } from "./from-client.ts";
import { SESSION_SECONDS, type Excess } from "./limits.ts";
import type { Session } from "./sessions.ts";
import { ToClient } from "./to-client.ts";
import type { ConnectionOptions, MqttVersion, Note, Wire } from "./wire.ts";

/**
 * What stands between a client's TLS and the broker, which speaks MQTT 3.1.1: clients of 3.1.1 and of 5 each hear
 * their own, what AWS does not take is refused by name, and messages carry their properties through the broker
 * (see envelope.ts).
 */
export class MqttConnection extends Duplex implements Wire {
  readonly socket: TLSSocket;
  readonly #note: Note;
  /** A socket that is gone knows it no more. */
  readonly #from: string;
  readonly #fromClient = parser();
  readonly #toClient: ToClient;
  readonly #fromBroker = parser({ protocolVersion: 4 });
  /** What SUBSCRIBE and UNSUBSCRIBE asked, until they are answered; by packet identifier. */
  readonly asked = new Map<number, ISubscribePacket["subscriptions"]>();
  readonly unsubscribed = new Map<number, number[]>();
  connect: IConnectPacket | undefined;
  isConnected = false;
  #ending: Ending | undefined;
  /** The client id that it was given. */
  assigned: string | undefined;
  /** Seconds, where they are not those that the client asked for. */
  keepAlive: number | undefined;
  /** Set by the broker when it accepts the client. */
  session: Session | undefined;

  constructor(socket: TLSSocket, options: ConnectionOptions) {
    super();
    this.#toClient = new ToClient(this, options);
    this.socket = socket;
    this.#note = options.note;
    this.#from = `${socket.remoteAddress}:${socket.remotePort}`;
    const received = new FromClient(this, options);
    this.#fromClient.on("packet", (packet: Packet) => received.received(packet));
    this.#fromClient.on("error", (error: Error) => this.exceeds({ what: error.message, ending: MALFORMED }));
    this.#fromBroker.on("packet", (packet: Packet) => this.fromBroker(packet));
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("end", () => this.push(null));
    socket.on("close", () => this.destroy());
    socket.on("error", () => this.destroy());
  }

  /** What was read and cannot be said again in MQTT 3.1.1 is thrown by mqtt-packet, not emitted. */
  #read(bytes: Buffer): void {
    try {
      this.#fromClient.parse(bytes);
    } catch (error) {
      this.exceeds({ what: error instanceof Error ? error.message : String(error), ending: MALFORMED });
    }
  }

  get version(): MqttVersion {
    return this.connect?.protocolVersion === 5 ? 5 : 4;
  }

  get clientId(): string {
    return this.assigned ?? this.connect?.clientId ?? "";
  }

  /** Whether the client begins anew, without what it left. */
  get isCleanStart(): boolean {
    return this.connect?.clean !== false;
  }

  /** Seconds that the client's session is kept after its connection. */
  get expiry(): number {
    if (this.version === 5) {
      return Math.min(this.connect?.properties?.sessionExpiryInterval ?? 0, SESSION_SECONDS.most);
    }
    return this.isCleanStart ? 0 : SESSION_SECONDS.usual;
  }

  /** Why it ended. */
  get reason(): string {
    return (this.#ending ?? LOST).reason;
  }

  get from(): string | undefined {
    const { remoteAddress, remotePort } = this.socket;
    return remoteAddress === undefined ? this.#from : `${remoteAddress}:${remotePort}`;
  }

  note(what: string): void {
    this.#note(this.clientId === "" ? undefined : this.clientId, this.from, what);
  }

  /** Ends the connection, and tells a client of MQTT 5 why. */
  endWith(ending: Ending): void {
    if (this.#ending === undefined && this.version === 5 && this.connect !== undefined) {
      const answer = this.isConnected
        ? ({ cmd: "disconnect", reasonCode: ending.code } as const)
        : ({ cmd: "connack", reasonCode: ending.code, sessionPresent: false } as const);
      this.toClient(answer);
    }
    this.#ending ??= ending;
    this.destroy();
  }

  exceeds({ what, ending }: Excess): void {
    if (!this.destroyed) {
      this.note(`is cut off: ${what}`);
      this.endWith(ending);
    }
  }

  /** The client says goodbye. */
  left(ending: Ending): void {
    this.#ending = ending;
  }

  endBroker(): void {
    this.push(null);
  }

  fromBroker(packet: Packet): void {
    this.#toClient.sent(packet);
  }

  toBroker(packet: Packet): void {
    if (!this.push(generate(packet, { protocolVersion: 4 }))) {
      this.socket.pause();
    }
  }

  toClient(packet: Packet): void {
    if (this.socket.writable) {
      this.socket.write(generate(packet, { protocolVersion: this.version }));
    }
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(bytes: Buffer, _: string, done: (error?: Error | null) => void): void {
    this.#fromBroker.parse(bytes);
    if (this.socket.writableNeedDrain) {
      this.socket.once("drain", done);
    } else {
      done();
    }
  }

  override _final(done: () => void): void {
    this.socket.end(done);
  }

  override _destroy(_: Error | null, done: (error?: Error | null) => void): void {
    // What was written last, such as why it ends, is sent yet.
    this.socket.destroySoon();
    done();
  }
}

import type { TLSSocket } from "node:tls";
import type { IConnectPacket, ISubscribePacket, Packet } from "mqtt-packet";
import type { Ending } from "./endings.ts";
import type { Excess } from "./limits.ts";
import type { Session } from "./sessions.ts";

/** MQTT 3.1.1 and MQTT 5, as CONNECT numbers them. */
export type MqttVersion = 4 | 5;

export interface ConnectionOptions {
  readonly versions: readonly MqttVersion[];
  /** Whether AWS IoT Core's limits hold. */
  readonly limits: boolean;
  /** Whether the client may publish there; asked where it can be told so and stay connected. */
  readonly mayPublish: (connection: Wire, topic: string) => boolean;
  /** Told what went wrong with a client: its id, where it comes from, and what, as a predicate. */
  readonly note: Note;
}

export type Note = (who: string | undefined, from: string | undefined, what: string) => void;

/** A client's connection, as both of its directions see it. */
export interface Wire {
  readonly socket: TLSSocket;
  readonly version: MqttVersion;
  readonly clientId: string;
  /** Where it comes from, "address:port". */
  readonly from: string | undefined;
  /** Whether the client begins anew, without what it left. */
  readonly isCleanStart: boolean;
  /** Seconds that the client's session is kept after its connection. */
  readonly expiry: number;
  /** Why it ended, in AWS's words. */
  readonly reason: string;
  readonly destroyed: boolean;
  connect: IConnectPacket | undefined;
  /** Whether CONNACK was sent. */
  isConnected: boolean;
  /** The client id that it was given. */
  assigned: string | undefined;
  /** Seconds, where they are not those that the client asked for. */
  keepAlive: number | undefined;
  /** Set by the broker when it accepts the client. */
  session: Session | undefined;
  /** What SUBSCRIBE and UNSUBSCRIBE asked, until they are answered; by packet identifier. */
  readonly asked: Map<number, ISubscribePacket["subscriptions"]>;
  readonly unsubscribed: Map<number, number[]>;
  toClient: (packet: Packet) => void;
  toBroker: (packet: Packet) => void;
  /** Goes to the client as though the broker said it. */
  fromBroker: (packet: Packet) => void;
  /** The stream to the broker ends without a goodbye. */
  endBroker: () => void;
  /** The client said goodbye. */
  left: (ending: Ending) => void;
  /** Says what went wrong with this client. */
  note: (what: string) => void;
  /** Ends the connection over a limit, which it names. */
  exceeds: (excess: Excess) => void;
  /** Ends the connection, and tells a client of MQTT 5 why. */
  endWith: (ending: Ending) => void;
}

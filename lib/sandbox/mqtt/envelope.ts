import { generate, parser, type IPublishPacket } from "mqtt-packet";

/** What a message carries beside its topic and payload: the properties that MQTT 5 hands on. */
export type MessageProperties = NonNullable<IPublishPacket["properties"]>;

export interface Message {
  readonly payload: Buffer;
  readonly properties: MessageProperties;
  /** Whether it was published as a message to be retained. */
  readonly retain: boolean;
  /** Seconds since 1970; undefined where it carries nothing but its payload. */
  readonly at: number | undefined;
}

const TIME_BYTES = 8;

/**
 * The broker speaks MQTT 3.1.1, which has no properties: within it a message's payload is the time when it came, and
 * the whole PUBLISH of MQTT 5. An empty payload stays empty, since it ends a retained message.
 */
export function sealed(packet: IPublishPacket, at = Date.now() / 1000): Buffer {
  const { payload, retain, properties } = packet;
  if (payload.length === 0 && (retain || properties === undefined)) {
    return Buffer.alloc(0);
  }
  const time = Buffer.alloc(TIME_BYTES);
  time.writeDoubleBE(at);
  const whole = { cmd: "publish", topic: "-", payload, qos: 0, dup: false, retain } as const;
  return Buffer.concat([time, generate({ ...whole, properties: properties ?? {} }, { protocolVersion: 5 })]);
}

/** The message within. */
export function opened(bytes: Buffer): Message {
  if (bytes.length === 0) {
    return { payload: bytes, properties: {}, retain: false, at: undefined };
  }
  let found: IPublishPacket | undefined;
  const reader = parser({ protocolVersion: 5 });
  reader.on("packet", (packet) => (found = packet as IPublishPacket));
  reader.parse(bytes.subarray(TIME_BYTES));
  if (found === undefined) {
    throw new TypeError("a message within the broker is not sealed");
  }
  const { payload, properties = {}, retain } = found;
  return { payload: Buffer.from(payload), properties, retain, at: bytes.readDoubleBE(0) };
}

/**
 * The properties that a receiver gets: the time that is left to a message is less what it waited (MQTT 5, 3.3.2.3.3).
 * Undefined where it has expired.
 */
export function propertiesNow(
  { properties, at }: Message,
  now = Date.now() / 1000,
): MessageProperties | undefined {
  const { messageExpiryInterval: seconds, topicAlias: _, ...rest } = properties;
  if (seconds === undefined || at === undefined) {
    return rest;
  }
  const left = Math.ceil(seconds - (now - at));
  return left <= 0 ? undefined : { ...rest, messageExpiryInterval: left };
}

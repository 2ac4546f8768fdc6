import type { IConnectPacket, IPublishPacket, ISubscribePacket } from "mqtt-packet";
import { shown } from "../../problem/index.ts";
import {
  BAD_CLIENT_ID,
  BAD_FILTER,
  BAD_TOPIC,
  NO_QOS_2,
  NO_SUBSCRIPTION_IDS,
  QUOTA,
  TOO_LARGE,
  type Ending,
} from "./endings.ts";

/**
 * What AWS IoT Core's message broker does not take
 * (https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits; QoS 2 and subscription
 * identifiers: https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html). How often and how much a second
 * is not held here.
 */
const QUOTAS = "AWS IoT Core endpoints and quotas, message broker";
const MQTT = "AWS IoT Core Developer Guide, MQTT";

/** A limit that a packet exceeds, for a person, and how the connection ends for it. */
export interface Excess {
  readonly what: string;
  readonly ending: Ending;
}

const CLIENT_ID_BYTES = 128;
const PAYLOAD_BYTES = 128 * 1024;
const TOPIC_BYTES = 256;
const TOPIC_SLASHES = 7;
const FILTERS_A_SUBSCRIBE = 8;
export const SUBSCRIPTIONS = 50;

/** Seconds: a client's keep-alive is brought between these. */
const KEEP_ALIVE = { least: 30, most: 1200 };

/** Seconds that a session is kept: by default, and at most. */
export const SESSION_SECONDS = { usual: 3600, most: 604_800 };

/** What the broker tells a client of MQTT 5 in CONNACK. */
export const BROKER_PROPERTIES = {
  receiveMaximum: 100,
  maximumQoS: 1,
  retainAvailable: true,
  maximumPacketSize: 149_504,
  topicAliasMaximum: 8,
  wildcardSubscriptionAvailable: true,
  subscriptionIdentifiersAvailable: false,
  sharedSubscriptionAvailable: true,
};

function excess(ending: Ending, what: string, source = QUOTAS): Excess {
  return { what: `${what} (${source})`, ending };
}

export function keepAliveOf({ keepalive = 0 }: IConnectPacket): number {
  return keepalive === 0 ? KEEP_ALIVE.most : Math.min(Math.max(keepalive, KEEP_ALIVE.least), KEEP_ALIVE.most);
}

export function connectExcess({ clientId, will }: IConnectPacket): Excess | undefined {
  const bytes = Buffer.byteLength(clientId);
  if (bytes > CLIENT_ID_BYTES) {
    return excess(BAD_CLIENT_ID, `a client id of ${bytes} bytes, where AWS takes ${CLIENT_ID_BYTES}`);
  }
  if (clientId.startsWith("$")) {
    return excess(BAD_CLIENT_ID, "a client id that begins with $, which AWS reserves");
  }
  return will === undefined
    ? undefined
    : publishExcess({ topic: will.topic, payload: will.payload, qos: will.qos ?? 0 });
}

export function publishExcess({
  topic,
  payload,
  qos,
}: Pick<IPublishPacket, "topic" | "payload" | "qos">): Excess | undefined {
  if (qos === 2) {
    return excess(NO_QOS_2, `QoS 2 on ${shown(topic)}, which AWS does not have`, MQTT);
  }
  if (payload.length > PAYLOAD_BYTES) {
    return excess(TOO_LARGE, `a payload of ${payload.length} bytes, where AWS takes ${PAYLOAD_BYTES}`);
  }
  if (topic.startsWith("$") && !/^\$aws\//i.test(topic)) {
    return excess(BAD_TOPIC, `the topic ${shown(topic)}: what begins with $ is AWS's`, MQTT);
  }
  return topicExcess(topic, BAD_TOPIC);
}

export function subscribeExcess({ subscriptions, properties }: ISubscribePacket): Excess | undefined {
  if (subscriptions.length > FILTERS_A_SUBSCRIBE) {
    const what = `${subscriptions.length} topic filters in one SUBSCRIBE, where AWS takes ${FILTERS_A_SUBSCRIBE}`;
    return excess(QUOTA, what);
  }
  if (properties?.subscriptionIdentifier !== undefined) {
    return excess(NO_SUBSCRIPTION_IDS, "a subscription identifier, which AWS does not have", MQTT);
  }
  for (const { topic, qos } of subscriptions) {
    if (qos === 2) {
      return excess(NO_QOS_2, `QoS 2 for ${shown(topic)}, which AWS does not have`, MQTT);
    }
    const found = topicExcess(topic, BAD_FILTER);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

/** That a connection has as many subscriptions as it may. */
export function tooManySubscriptions(filter: string): Excess {
  return excess(
    QUOTA,
    `${shown(filter)} is subscription ${SUBSCRIPTIONS + 1}, where AWS takes ${SUBSCRIPTIONS}`,
  );
}

/** The first three levels of Basic Ingest, and `$share/NAME`, do not count. */
function topicExcess(topic: string, ending: Ending): Excess | undefined {
  const counted = topic.replace(/^\$aws\/rules\/[^/]*\//i, "").replace(/^\$share\/[^/]*\//, "");
  const bytes = Buffer.byteLength(counted);
  if (bytes > TOPIC_BYTES) {
    return excess(ending, `a topic of ${bytes} bytes, where AWS takes ${TOPIC_BYTES}`);
  }
  const slashes = counted.split("/").length - 1;
  return slashes > TOPIC_SLASHES
    ? excess(ending, `${shown(topic)} has ${slashes} slashes, where AWS takes ${TOPIC_SLASHES}`)
    : undefined;
}

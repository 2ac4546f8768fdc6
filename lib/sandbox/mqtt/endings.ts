/** Why a broker ends a connection. */
export interface Ending {
  /** What a client of MQTT 5 is told, in DISCONNECT or CONNACK (MQTT 5, 2.4 Reason Code). */
  readonly code: number;
  /**
   * What AWS calls it
   * (https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html, disconnectReason).
   */
  readonly reason: string;
}

export const BAD_PROTOCOL_VERSION = { code: 0x84, reason: "CLIENT_ERROR" } as const satisfies Ending;
export const BAD_CLIENT_ID = { code: 0x85, reason: "CLIENT_ERROR" } as const satisfies Ending;
export const MALFORMED = { code: 0x81, reason: "CLIENT_ERROR" } as const satisfies Ending;
export const PROTOCOL_ERROR = { code: 0x82, reason: "CLIENT_ERROR" } as const satisfies Ending;
export const NOT_AUTHORIZED = { code: 0x87, reason: "AUTH_ERROR" } as const satisfies Ending;
export const SHUTTING_DOWN = { code: 0x8b, reason: "SERVER_INITIATED_DISCONNECT" } as const satisfies Ending;
export const KEEP_ALIVE = { code: 0x8d, reason: "MQTT_KEEP_ALIVE_TIMEOUT" } as const satisfies Ending;
export const TAKEN_OVER = { code: 0x8e, reason: "DUPLICATE_CLIENTID" } as const satisfies Ending;
export const BAD_FILTER = { code: 0x8f, reason: "CLIENT_ERROR" } as const satisfies Ending;
export const BAD_TOPIC = { code: 0x90, reason: "CLIENT_ERROR" } as const satisfies Ending;
export const BAD_ALIAS = { code: 0x94, reason: "CLIENT_ERROR" } as const satisfies Ending;
export const TOO_LARGE = { code: 0x95, reason: "CLIENT_ERROR" } as const satisfies Ending;
export const QUOTA = { code: 0x97, reason: "CLIENT_ERROR" } as const satisfies Ending;
export const FORBIDDEN = { code: 0x98, reason: "FORBIDDEN_ACCESS" } as const satisfies Ending;
export const NO_QOS_2 = { code: 0x9b, reason: "CLIENT_ERROR" } as const satisfies Ending;
export const NO_SUBSCRIPTION_IDS = { code: 0xa1, reason: "CLIENT_ERROR" } as const satisfies Ending;

/** What a client did itself. */
export const LEFT = { code: 0, reason: "CLIENT_INITIATED_DISCONNECT" } as const satisfies Ending;
/** Its connection ended without a word. */
export const LOST = { code: 0, reason: "CONNECTION_LOST" } as const satisfies Ending;

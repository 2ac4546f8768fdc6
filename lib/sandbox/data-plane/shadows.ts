import * as v from "valibot";
import type { Region, Shadow } from "../account.ts";
import { DEPLOYMENT_SHADOW, noteThingReport } from "../greengrass/thing-deployments.ts";
import { deltaOf, shadowKey, writeShadow, type ShadowId } from "../iot/shadows.ts";
import { objectIn, tokenOf, type Message, type Note, type Outcome } from "./messages.ts";

/** A shadow's document (AWS IoT Core endpoints and quotas, "Maximum size of a JSON state document"), in bytes. */
const DOCUMENT_BYTES = 8192;

const half = v.nullish(v.record(v.string(), v.unknown()));
const update = v.object({
  state: v.object({ desired: half, reported: half }),
  version: v.optional(v.number()),
});

/** The answer to a request about a shadow, and what others are told by it. */
export interface ShadowAnswer {
  /** 200, or AWS's code of an error. */
  readonly code: number;
  readonly document: object;
  readonly notes: readonly Note[];
  readonly changed: boolean;
}

const TOPIC = /^shadow(?:\/name\/([A-Za-z0-9:_-]{1,64}))?\/(get|update|delete)$/;

/**
 * Device shadows over MQTT (https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-mqtt.html). Their
 * answers are for everybody who subscribed. Undefined where the topic is none of shadows.
 */
export function takeShadowMessage(
  region: Region,
  thing: string,
  topic: string,
  { topic: whole, text, now }: Message,
): Outcome | undefined {
  const [, name = "", verb] = TOPIC.exec(topic) ?? [];
  if (verb === undefined) {
    return undefined;
  }
  const { code, document, notes, changed } = shadowRequest(region, { thing, name }, verb, text, now);
  const answer: Note = { topic: `${whole}/${code === 200 ? "accepted" : "rejected"}`, document };
  return { notices: [answer, ...notes], changed };
}

export function shadowRequest(
  region: Region,
  id: ShadowId,
  verb: string,
  text: string,
  now: number,
): ShadowAnswer {
  const said = objectIn(text);
  const stamp = { ...tokenOf(said), timestamp: Math.floor(now) };
  const refused = (code: number, message: string): ShadowAnswer => ({
    code,
    document: { code, message, ...stamp },
    notes: [],
    changed: false,
  });
  const shadow = region.shadows.get(shadowKey(id));
  if (verb !== "update") {
    if (shadow === undefined) {
      return refused(
        404,
        `No shadow exists with name: '${id.name === "" ? id.thing : `${id.thing}~${id.name}`}'`,
      );
    }
    if (verb === "delete") {
      region.shadows.delete(shadow.key);
      return { code: 200, document: { version: shadow.version, ...stamp }, notes: [], changed: true };
    }
    return { code: 200, document: { ...documentOf(shadow), ...stamp }, notes: [], changed: false };
  }
  if (said === undefined) {
    return refused(400, "Invalid JSON");
  }
  if (Buffer.byteLength(text) > DOCUMENT_BYTES) {
    return refused(413, "The payload exceeds the maximum size allowed");
  }
  const request = v.safeParse(update, said);
  if (!request.success) {
    return refused(
      400,
      `Invalid document: ${v.getDotPath(request.issues[0]) ?? ""} ${request.issues[0].message}`,
    );
  }
  const { state, version } = request.output;
  if (version !== undefined && version !== (shadow?.version ?? 0)) {
    return refused(409, "Version conflict");
  }
  const change = Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined));
  const next = writeShadow(region, id, change, now);
  if (id.name === DEPLOYMENT_SHADOW) {
    noteThingReport(region, id.thing, now);
  }
  const document = { state: change, version: next.version, ...stamp };
  return { code: 200, document, notes: followUps(id, next, shadow, stamp), changed: true };
}

/** What AWS publishes beside the answer: what is still to do, and the documents before and after. */
export function followUps(id: ShadowId, next: Shadow, before: Shadow | undefined, stamp: object): Note[] {
  const topic = `${shadowTopic(id)}/update`;
  const delta = deltaOf(next);
  return [
    ...(delta === undefined
      ? []
      : [{ topic: `${topic}/delta`, document: { version: next.version, state: delta, ...stamp } }]),
    {
      topic: `${topic}/documents`,
      document: {
        ...(before === undefined ? {} : { previous: documentOf(before) }),
        current: documentOf(next),
        ...stamp,
      },
    },
  ];
}

export function shadowTopic({ thing, name }: ShadowId): string {
  return `$aws/things/${thing}/shadow${name === "" ? "" : `/name/${name}`}`;
}

function documentOf(shadow: Shadow): object {
  const { desired, reported, version } = shadow;
  const delta = deltaOf(shadow);
  return {
    state: {
      ...(desired === undefined ? {} : { desired }),
      ...(reported === undefined ? {} : { reported }),
      ...(delta === undefined ? {} : { delta }),
    },
    version,
  };
}

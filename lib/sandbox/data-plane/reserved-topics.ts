import { visible } from "../../problem/index.ts";
import type { Region } from "../account.ts";
import { healthReports } from "./health.ts";
import type { Message, Outcome } from "./messages.ts";
import { takeJobMessage } from "./jobs.ts";
import { takeShadowMessage } from "./shadows.ts";

export interface ReservedTopics {
  /** `clientId`: for a person. */
  take: (clientId: string, message: Message) => Outcome;
}

/**
 * What AWS does with messages on its own topics
 * (https://docs.aws.amazon.com/iot/latest/developerguide/reserved-topics.html): the health that a nucleus reports,
 * jobs and shadows. Others are named once.
 */
export function reservedTopics(region: Region, log: (line: string) => void): ReservedTopics {
  const unknown = new Set<string>();
  const health = healthReports(region, log);
  const taken = (thing: string, rest: string, message: Message): Outcome | undefined =>
    rest === "greengrassv2/health/json"
      ? health.take(thing, message)
      : (takeJobMessage(region, thing, rest, message) ?? takeShadowMessage(region, thing, rest, message));
  return {
    take: (clientId, message) => {
      const [, thing, rest] = /^\$aws\/things\/([^/]+)\/(.+)$/.exec(message.topic) ?? [];
      const outcome = thing === undefined || rest === undefined ? undefined : taken(thing, rest, message);
      if (outcome === undefined && !unknown.has(message.topic) && unknown.size < 100) {
        unknown.add(message.topic);
        log(`${clientId}: nobody here answers on ${visible(message.topic)}`);
      }
      return outcome ?? {};
    },
  };
}

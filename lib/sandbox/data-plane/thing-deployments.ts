import type { Region } from "../account.ts";
import { DEPLOYMENT_SHADOW } from "../greengrass/thing-deployments.ts";
import type { Note } from "./messages.ts";
import { followUps, shadowTopic } from "./shadows.ts";

/** What a core hears when Greengrass writes a deployment into its shadow, when asked after a change of the account. */
export function deploymentShadows(region: Region): (now: number) => Note[] {
  const known = new Map<string, string>();
  const look = (now: number): Note[] =>
    [...region.shadows.values()].flatMap((shadow) => {
      const prefix = `${DEPLOYMENT_SHADOW}:`;
      const desired = JSON.stringify(shadow.desired);
      if (!shadow.key.startsWith(prefix) || known.get(shadow.key) === desired) {
        return [];
      }
      known.set(shadow.key, desired);
      const id = { thing: shadow.key.slice(prefix.length), name: DEPLOYMENT_SHADOW };
      const stamp = { timestamp: Math.floor(now) };
      const accepted = { state: { desired: shadow.desired }, version: shadow.version, ...stamp };
      return [
        { topic: `${shadowTopic(id)}/update/accepted`, document: accepted },
        ...followUps(id, shadow, undefined, stamp),
      ];
    });
  look(0);
  return look;
}

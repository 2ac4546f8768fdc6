import type { Region } from "../account.ts";
import type { Changes } from "../account-text.ts";
import { DEPLOYMENT_SHADOW } from "../greengrass/thing-deployments.ts";
import type { Note } from "./messages.ts";
import { followUps, shadowTopic } from "./shadows.ts";

/** What a core hears when Greengrass writes a deployment into its shadow, when asked after a change of the account. */
export function deploymentShadows(region: Region): (now: number, changes: Changes) => Note[] {
  const known = new Map<string, string>();
  const prefix = `${DEPLOYMENT_SHADOW}:`;
  const look = (now: number, keys: Iterable<string>): Note[] =>
    [...keys].flatMap((key) => {
      const shadow = key.startsWith(prefix) ? region.shadows.get(key) : undefined;
      const desired = JSON.stringify(shadow?.desired);
      if (shadow === undefined || known.get(key) === desired) {
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
  look(0, region.shadows.keys());
  return (now, changes) =>
    look(
      now,
      (changes.get(region.shadows.name) ?? []).map(([key]) => key),
    );
}

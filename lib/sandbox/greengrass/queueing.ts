import type { Deployment, Region } from "../account.ts";
import { iotArn, nameInArn } from "../arns.ts";
import { groupMembers } from "../iot/groups.ts";
import { mayBegin, mustEnd, timeOut } from "./rollout.ts";
import { offerToThing } from "./thing-deployments.ts";

/** The things that a deployment is for: its target, or the members of it. */
export function deviceNames(region: Region, target: string): readonly string[] {
  const thing = nameInArn(region, target, "thing");
  return thing === undefined ? groupMembers(region, target) : [thing];
}

/** Queues each deployment that is in effect for a core that exists and does not have it yet. */
export function queueForCore(region: Region, core: string, now: number): void {
  const targets = new Set([
    iotArn(region, `thing/${core}`),
    ...region.memberships.leftOf(core).map((group) => iotArn(region, `thinggroup/${group}`)),
  ]);
  for (const deployment of region.deployments.values()) {
    if (targets.has(deployment.target)) {
      queue(region, deployment, core, now);
    }
  }
}

/** Queues a deployment for a core, unless it has it, or does not exist, or it is not its turn. */
export function queue(region: Region, deployment: Deployment, core: string, now: number): void {
  const { id, latest, canceled } = deployment;
  if (!latest || canceled || !region.coreDevices.has(core) || region.executions.hasPair(id, core)) {
    return;
  }
  if (!mayBegin(region, deployment, now)) {
    return; // its turn is in a later minute
  }
  region.executions.setPair(id, core, {
    status: "QUEUED",
    errors: [],
    errorTypes: [],
    version: 1,
    details: {},
    createdAt: now,
    modifiedAt: now,
  });
  offerToThing(region, deployment, now);
}

/**
 * What time brings: cores that a rollout left for later, those that took too long, and deployments that too many
 * failed. Gives whether anything changed.
 */
export function carryOn(region: Region, now: number): boolean {
  let isChanged = false;
  for (const deployment of region.deployments.values()) {
    if (!deployment.latest || deployment.canceled) {
      continue;
    }
    isChanged = timeOut(region, deployment, now) || isChanged;
    for (const core of deviceNames(region, deployment.target)) {
      if (!region.executions.hasPair(deployment.id, core)) {
        queue(region, deployment, core, now);
        isChanged ||= region.executions.hasPair(deployment.id, core);
      }
    }
    isChanged = endIfFailed(region, deployment, now) || isChanged;
  }
  return isChanged;
}

/** Cancels a deployment that too many cores have failed. */
export function endIfFailed(region: Region, deployment: Deployment, now: number): boolean {
  if (!mustEnd(region, deployment)) {
    return false;
  }
  region.deployments.change(deployment.id).canceled = true;
  cancelQueued(region, deployment, now);
  return true;
}

/** What nobody has begun is not begun any more. */
export function cancelQueued(region: Region, { id }: Deployment, now: number): void {
  for (const core of region.executions.rightOf(id)) {
    const { status, version } = region.executions.getPair(id, core)!;
    if (status === "QUEUED") {
      const draft = region.executions.changePair(id, core);
      Object.assign(draft, { status: "CANCELED", version: version + 1, modifiedAt: now });
    }
  }
}

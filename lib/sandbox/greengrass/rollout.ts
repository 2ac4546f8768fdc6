import type { Deployment, Region } from "../account.ts";
import type { DeploymentDocument } from "./deployment-document.ts";
import { isTerminal } from "./jobs.ts";

type Configuration = NonNullable<DeploymentDocument["iotJobConfiguration"]>;

/** What a job keeps to (AWS IoT Developer Guide, "Job rollout, scheduling, and abort configurations"). */
function configurationOf({ document }: Deployment): Configuration | undefined {
  return document.includes('"iotJobConfiguration"')
    ? (JSON.parse(document) as DeploymentDocument).iotJobConfiguration
    : undefined;
}

/** Whether the deployment may begin on another core now: so many in each minute. */
export function mayBegin(region: Region, deployment: Deployment, now: number): boolean {
  const rate = configurationOf(deployment)?.jobExecutionsRolloutConfig?.maximumPerMinute;
  if (rate === undefined) {
    return true;
  }
  const begun = region.executions
    .rightOf(deployment.id)
    .filter((core) => region.executions.getPair(deployment.id, core)!.createdAt > now - 60);
  return begun.length < rate;
}

/** Whether so many cores have failed that the deployment is to end. */
export function mustEnd(region: Region, deployment: Deployment): boolean {
  const criteria = configurationOf(deployment)?.abortConfig?.criteriaList ?? [];
  if (criteria.length === 0 || deployment.canceled) {
    return false;
  }
  const results = region.executions
    .rightOf(deployment.id)
    .map((core) => region.executions.getPair(deployment.id, core)!)
    .filter(isTerminal);
  return criteria.some(({ failureType, thresholdPercentage, minNumberOfExecutedThings }) => {
    const failures = results.filter(({ status }) =>
      failureType === "ALL" ? ["FAILED", "REJECTED", "TIMED_OUT"].includes(status) : status === failureType,
    );
    return (
      results.length >= minNumberOfExecutedThings &&
      (failures.length / results.length) * 100 >= thresholdPercentage
    );
  });
}

/** Ends what a core has worked on for too long; gives whether there was any. */
export function timeOut(region: Region, deployment: Deployment, now: number): boolean {
  const minutes = configurationOf(deployment)?.timeoutConfig?.inProgressTimeoutInMinutes;
  let isChanged = false;
  for (const core of minutes === undefined ? [] : region.executions.rightOf(deployment.id)) {
    const { status, modifiedAt, version } = region.executions.getPair(deployment.id, core)!;
    if (status === "IN_PROGRESS" && modifiedAt + minutes! * 60 < now) {
      const draft = region.executions.changePair(deployment.id, core);
      Object.assign(draft, { status: "TIMED_OUT", version: version + 1, modifiedAt: now });
      isChanged = true;
    }
  }
  return isChanged;
}

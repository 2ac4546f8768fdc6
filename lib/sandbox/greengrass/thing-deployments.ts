import type { Deployment, Region } from "../account.ts";
import { shadowKey, writeShadow } from "../iot/shadows.ts";
import { nameInArn } from "../arns.ts";
import { configurationArn, fleetConfiguration } from "./jobs.ts";

/** The named shadow by which a core takes the deployments that are for it alone (aws-greengrass-nucleus). */
export const DEPLOYMENT_SHADOW = "AWSManagedGreengrassV2Deployment";

/** Puts a deployment to a single thing where its core finds it. */
export function offerToThing(region: Region, deployment: Deployment, now: number): void {
  const thing = nameInArn(region, deployment.target, "thing");
  if (thing === undefined) {
    return;
  }
  const desired = {
    fleetConfig: JSON.stringify(fleetConfiguration(region, deployment)),
    desiredStatus: deployment.canceled ? "CANCELED" : "IN_PROGRESS",
  };
  writeShadow(region, { thing, name: DEPLOYMENT_SHADOW }, { desired }, now);
}

/** Takes what the core reports of it in the shadow. */
export function noteThingReport(region: Region, thing: string, now: number): void {
  const reported = (region.shadows.get(shadowKey({ thing, name: DEPLOYMENT_SHADOW }))?.reported ?? {}) as {
    fleetConfigurationArnForStatus?: unknown;
    status?: unknown;
    statusDetails?: {
      failureCause?: unknown;
      errorStack?: unknown;
      errorTypes?: unknown;
      detailedStatus?: unknown;
    };
  };
  const deployment = [...region.deployments.values()].find(
    (one) => configurationArn(region, one) === reported.fleetConfigurationArnForStatus,
  );
  const execution = region.executions.getPair(deployment?.id ?? "", thing);
  const { status, statusDetails = {} } = reported;
  if (deployment === undefined || execution === undefined || !isReported(status)) {
    return;
  }
  const reason = statusDetails.failureCause ?? statusDetails.detailedStatus;
  Object.assign(region.executions.changePair(deployment.id, thing), {
    status,
    modifiedAt: now,
    version: execution.version + 1,
    errors: textsIn(statusDetails.errorStack),
    errorTypes: textsIn(statusDetails.errorTypes),
    ...(typeof reason === "string" ? { reason } : {}),
  });
}

function isReported(status: unknown): status is "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "CANCELED" {
  return ["IN_PROGRESS", "SUCCEEDED", "FAILED", "CANCELED"].some((one) => one === status);
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

import * as v from "valibot";
import type { Deployment, Execution, Region } from "../account.ts";
import { queueDeployments, type DeploymentDocument } from "../greengrass/deployments.ts";

type Answer = (topic: string, payload: object) => void;

/**
 * What a nucleus reports of itself (aws-greengrass-nucleus, FleetStatusDetails; topic
 * greengrassv2/health/json).
 */
const health = v.object({
  ggcVersion: v.string(),
  platform: v.string(),
  architecture: v.string(),
  thing: v.string(),
  timestamp: v.number(),
  overallDeviceStatus: v.picklist(["HEALTHY", "UNHEALTHY"]),
  components: v.array(
    v.object({ componentName: v.string(), version: v.string(), status: v.string(), isRoot: v.boolean() }),
  ),
});

/**
 * What a device says of a job (https://docs.aws.amazon.com/iot/latest/developerguide/jobs-mqtt-api.html,
 * UpdateJobExecution).
 */
const update = v.object({
  status: v.picklist(["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"]),
  statusDetails: v.optional(v.record(v.string(), v.string()), {}),
});

/**
 * What AWS does with a message on a reserved topic of a thing: it takes the health that a nucleus reports,
 * gives it its next deployment as a job, and notes what came of it. Gives whether the account changed. Other
 * reserved topics do nothing here.
 */
export function answerReserved(
  region: Region,
  thing: string,
  topic: string,
  text: string,
  now: number,
  answer: Answer,
): boolean {
  if (topic === "greengrassv2/health/json") {
    return takeHealth(region, thing, parsed(text), now);
  }
  const jobs = `$aws/things/${thing}/jobs/`;
  if (topic === "jobs/$next/get") {
    answer(`${jobs}$next/get/accepted`, { timestamp: now, ...nextJob(region, thing) });
    return false;
  }
  const [, id] = /^jobs\/([^/]+)\/update$/.exec(topic) ?? [];
  if (id === undefined) {
    return false;
  }
  const execution = region.deployments.get(id)?.executions.find(({ core }) => core === thing);
  const said = v.safeParse(update, parsed(text));
  if (execution === undefined || !said.success) {
    answer(`${jobs}${id}/update/rejected`, {
      code: execution === undefined ? "ResourceNotFound" : "InvalidRequest",
      message: "no such job, or no status",
    });
    return false;
  }
  const { status, statusDetails } = said.output;
  const reason = statusDetails["deployment-failure-cause"] ?? statusDetails["detailed-deployment-status"];
  const errors = (statusDetails["deployment-error-stack"] ?? "").split(",").filter((one) => one !== "");
  Object.assign(execution, { status, modifiedAt: now, errors, ...(reason === undefined ? {} : { reason }) });
  answer(`${jobs}${id}/update/accepted`, { timestamp: now });
  return true;
}

function takeHealth(region: Region, thing: string, said: unknown, now: number): boolean {
  const report = v.safeParse(health, said);
  if (!report.success || report.output.thing !== thing) {
    return false;
  }
  const { ggcVersion, platform, architecture, overallDeviceStatus, components, timestamp } = report.output;
  region.coreDevices.set(thing, {
    name: thing,
    version: ggcVersion,
    platform,
    architecture,
    status: overallDeviceStatus,
    updatedAt: timestamp / 1000,
    authorities: region.coreDevices.get(thing)?.authorities ?? [],
    components: components.map((one) => ({
      name: one.componentName,
      version: one.version,
      state: one.status,
      isRoot: one.isRoot,
    })),
  });
  queueDeployments(region, now);
  return true;
}

interface PendingJob {
  readonly deployment: Deployment;
  readonly execution: Execution;
}

/**
 * The next job of each core: the one that it works on, else the first that waits
 * (https://docs.aws.amazon.com/iot/latest/developerguide/jobs-devices.html). One follows the other.
 */
function nextJobs(region: Region): Map<string, PendingJob> {
  const next = new Map<string, PendingJob>();
  for (const deployment of region.deployments.values()) {
    for (const execution of deployment.latest ? deployment.executions : []) {
      const { core, status } = execution;
      if (status === "IN_PROGRESS" || (status === "QUEUED" && !next.has(core))) {
        next.set(core, { deployment, execution });
      }
    }
  }
  return next;
}

/** The next job of a core, as AWS sends it. */
function nextJob(region: Region, thing: string): { execution?: object } {
  const job = nextJobs(region).get(thing);
  return job === undefined ? {} : { execution: jobExecution(job.deployment, job.execution) };
}

function jobExecution(deployment: Deployment, execution: Execution): object {
  const { components, deploymentPolicies } = JSON.parse(deployment.document) as DeploymentDocument;
  const updates = Object.entries(components).map(([name, { componentVersion, configurationUpdate }]) => [
    name,
    {
      version: componentVersion,
      configurationUpdate:
        configurationUpdate?.merge === undefined
          ? { ...configurationUpdate }
          : { ...configurationUpdate, merge: JSON.parse(configurationUpdate.merge) as unknown },
    },
  ]);
  return {
    jobId: deployment.id,
    status: execution.status,
    queuedAt: execution.createdAt,
    versionNumber: 1,
    executionNumber: 1,
    jobDocument: {
      deploymentId: deployment.id,
      deploymentName: deployment.name,
      targetArn: deployment.target,
      components: Object.fromEntries(updates) as object,
      ...deploymentPolicies,
    },
  };
}

/** The next jobs that wait for their core, for who is connected; `key` tells one notice from another. */
export function jobNotices(region: Region, now: number): { key: string; thing: string; payload: object }[] {
  return [...nextJobs(region)]
    .filter(([, { execution }]) => execution.status === "QUEUED")
    .map(([thing, { deployment, execution }]) => ({
      key: `${deployment.id} ${thing} ${execution.createdAt}`,
      thing,
      payload: { timestamp: now, execution: jobExecution(deployment, execution) },
    }));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

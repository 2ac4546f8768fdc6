import { partitionOf } from "../../aws/partition.ts";
import { SANDBOX_ACCOUNT, type Deployment, type Execution, type Region } from "../account.ts";
import { nameInArn } from "../arns.ts";
import type { DeploymentDocument } from "./deployment-document.ts";

/** A core's part of a deployment to a group, which reaches it as an IoT job. */
export interface Job {
  readonly deployment: Deployment;
  readonly execution: Execution;
}

export function isTerminal({ status }: Execution): boolean {
  return status !== "QUEUED" && status !== "IN_PROGRESS";
}

/** Whether a deployment is carried out by a shadow: those to a single thing are. */
export function isForThing(region: Region, { target }: Deployment): boolean {
  return nameInArn(region, target, "thing") !== undefined;
}

/** A core's part of each deployment that it was queued for, the oldest deployment first. */
export function executionsOf(region: Region, core: string): Job[] {
  return region.executions
    .leftOf(core)
    .map((id) => ({
      deployment: region.deployments.get(id)!,
      execution: region.executions.getPair(id, core)!,
    }))
    .sort((a, b) => a.deployment.createdAt - b.deployment.createdAt);
}

/** What a core has not done yet, the oldest first. */
export function pendingJobs(region: Region, core: string): Job[] {
  return executionsOf(region, core).filter(
    ({ deployment, execution }) => !isForThing(region, deployment) && !isTerminal(execution),
  );
}

/**
 * The next job of a core: the one that it works on, else the first that waits
 * (https://docs.aws.amazon.com/iot/latest/developerguide/jobs-devices.html). One follows the other.
 */
export function nextJob(region: Region, core: string): Job | undefined {
  const pending = pendingJobs(region, core);
  return pending.find(({ execution }) => execution.status === "IN_PROGRESS") ?? pending[0];
}

export function summaryOf({ deployment, execution }: Job): object {
  return {
    jobId: deployment.job,
    queuedAt: Math.floor(execution.createdAt),
    lastUpdatedAt: Math.floor(execution.modifiedAt),
    executionNumber: 1,
    versionNumber: execution.version,
  };
}

/** A job as AWS sends it to a device, times in whole seconds. */
export function jobExecution(region: Region, job: Job, { document = true } = {}): object {
  const { status, details } = job.execution;
  return {
    ...summaryOf(job),
    status,
    statusDetails: details,
    ...(document ? { jobDocument: fleetConfiguration(region, job.deployment) } : {}),
  };
}

/**
 * What a nucleus reads of a deployment (aws-greengrass-component-common, Configuration.java): merged configuration is
 * an object, policies have other names than in the API, and the ARN ends with the group and its revision.
 */
export function fleetConfiguration(region: Region, deployment: Deployment): object {
  const { components, deploymentPolicies: policies = {} } = JSON.parse(
    deployment.document,
  ) as DeploymentDocument;
  const list = Object.entries(components).map(
    ([name, { componentVersion, configurationUpdate, runWith }]) => [
      name,
      {
        version: componentVersion,
        ...(configurationUpdate === undefined
          ? {}
          : {
              configurationUpdate: {
                ...(configurationUpdate.merge === undefined
                  ? {}
                  : { merge: JSON.parse(configurationUpdate.merge) as unknown }),
                ...(configurationUpdate.reset === undefined ? {} : { reset: configurationUpdate.reset }),
              },
            }),
        ...(runWith === undefined ? {} : { runWith }),
      },
    ],
  );
  const { componentUpdatePolicy: whenUpdated, configurationValidationPolicy: whenValidated } = policies;
  return {
    deploymentId: deployment.id,
    ...(deployment.name === undefined ? {} : { deploymentName: deployment.name }),
    configurationArn: configurationArn(region, deployment),
    creationTimestamp: Math.floor(deployment.createdAt * 1000),
    components: Object.fromEntries(list) as object,
    failureHandlingPolicy: policies.failureHandlingPolicy ?? "ROLLBACK",
    requiredCapabilities: [],
    componentUpdatePolicy: {
      timeout: whenUpdated?.timeoutInSeconds ?? 60,
      action: whenUpdated?.action ?? "NOTIFY_COMPONENTS",
    },
    configurationValidationPolicy: { timeout: whenValidated?.timeoutInSeconds ?? 60 },
  };
}

/** What a nucleus reports as the configuration that it has: the target and its revision. */
export function configurationArn(region: Region, { target, revision }: Deployment): string {
  const { name: partition } = partitionOf(region.name);
  const resource = target.split(":").at(-1) ?? target;
  return `arn:${partition}:greengrass:${region.name}:${SANDBOX_ACCOUNT}:configuration:${resource}:${revision}`;
}

import { randomUUID } from "node:crypto";
import * as v from "valibot";
import { textRecord, type Deployment, type Region } from "../account.ts";
import { iotArn, nameInArn } from "../arns.ts";
import { integer, page } from "../members.ts";
import { AwsError, rest } from "../operation.ts";
import { components, jobConfiguration, policies, type DeploymentDocument } from "./deployment-document.ts";
import { executionsOf, isForThing } from "./jobs.ts";
import { cancelQueued, deviceNames, queue } from "./queueing.ts";
import { offerToThing } from "./thing-deployments.ts";
import { clientToken, CORE_DEVICE_PATH, coreDeviceNamed, deviceName, notFound } from "./registry.ts";

const paging = { maxResults: v.optional(integer), nextToken: v.optional(v.string()) };

function deploymentNamed(region: Region, id: string): Deployment {
  const found = region.deployments.get(id);
  if (found === undefined) {
    throw notFound("deployment", id);
  }
  return found;
}

function isTarget(region: Region, arn: string): boolean {
  return (
    region.things.has(nameInArn(region, arn, "thing") ?? "") ||
    region.groups.has(nameInArn(region, arn, "thinggroup") ?? "")
  );
}

/** A group's deployment goes on as long as it is the latest; a thing's ends with its core. */
function statusOf(region: Region, { id, canceled, latest, target }: Deployment): string {
  const thing = nameInArn(region, target, "thing");
  const only = thing === undefined ? undefined : region.executions.getPair(id, thing);
  if (canceled) {
    return "CANCELED";
  }
  if (!latest) {
    return "INACTIVE";
  }
  if (only === undefined || only.status === "QUEUED" || only.status === "IN_PROGRESS") {
    return "ACTIVE";
  }
  return only.status === "SUCCEEDED" ? "COMPLETED" : "FAILED";
}

function summary(region: Region, deployment: Deployment): object {
  return {
    targetArn: deployment.target,
    revisionId: deployment.revision,
    deploymentId: deployment.id,
    deploymentName: deployment.name,
    creationTimestamp: deployment.createdAt,
    deploymentStatus: statusOf(region, deployment),
    isLatestForTarget: deployment.latest,
  };
}

/** A deployment to a group is carried out as an IoT job. */
function job(region: Region, deployment: Deployment): { iotJobId?: string; iotJobArn?: string } {
  return isForThing(region, deployment)
    ? {}
    : { iotJobId: deployment.job, iotJobArn: iotArn(region, `job/${deployment.job}`) };
}

/**
 * https://docs.aws.amazon.com/greengrass/v2/developerguide/manage-deployments.html; rates that grow and
 * sub-deployments are not modelled.
 */
export const deploymentOperations = [
  rest(
    "greengrass",
    "CreateDeployment",
    "POST /greengrass/v2/deployments 201",
    {
      targetArn: v.string(),
      deploymentName: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(256))),
      components: v.optional(components, {}),
      deploymentPolicies: v.optional(policies),
      iotJobConfiguration: v.optional(jobConfiguration),
      tags: v.optional(textRecord, {}),
      clientToken: v.optional(clientToken),
    },
    ({ region, now }, input) => {
      const { targetArn: target, deploymentName: name, clientToken: token } = input;
      if (!isTarget(region, target)) {
        throw notFound("target", target);
      }
      const document = JSON.stringify({
        components: input.components,
        deploymentPolicies: input.deploymentPolicies,
        iotJobConfiguration: input.iotJobConfiguration,
      });
      const same =
        token === undefined ? undefined : [...region.deployments.values()].find((one) => one.token === token);
      if (same !== undefined) {
        if (same.document !== document || same.target !== target) {
          throw new AwsError(400, "ValidationException", "The client token was used for another deployment");
        }
        return { deploymentId: same.id, ...job(region, same) };
      }
      const older = [...region.deployments.values()].filter((one) => one.target === target);
      for (const one of older) {
        if (one.latest) {
          region.deployments.change(one.id).latest = false;
        }
        cancelQueued(region, one, now);
      }
      const deployment: Deployment = {
        id: randomUUID(),
        job: randomUUID(),
        target,
        revision: String(older.length + 1),
        latest: true,
        canceled: false,
        document,
        tags: input.tags,
        createdAt: now,
        ...(name === undefined ? {} : { name }),
        ...(token === undefined ? {} : { token }),
      };
      region.deployments.set(deployment.id, deployment);
      for (const core of deviceNames(region, target)) {
        queue(region, deployment, core, now);
      }
      return { deploymentId: deployment.id, ...job(region, deployment) };
    },
  ),

  rest(
    "greengrass",
    "GetDeployment",
    "GET /greengrass/v2/deployments/{deploymentId}",
    { deploymentId: v.string() },
    ({ region }, input) => {
      const deployment = deploymentNamed(region, input.deploymentId);
      return {
        ...summary(region, deployment),
        ...job(region, deployment),
        ...(JSON.parse(deployment.document) as DeploymentDocument),
        tags: deployment.tags,
      };
    },
  ),

  rest(
    "greengrass",
    "ListDeployments",
    "GET /greengrass/v2/deployments",
    {
      targetArn: v.optional(v.string()),
      historyFilter: v.optional(v.picklist(["ALL", "LATEST_ONLY"]), "LATEST_ONLY"),
      ...paging,
    },
    ({ region }, input) => {
      const found = [...region.deployments.values()].filter(
        (one) =>
          (input.targetArn === undefined || one.target === input.targetArn) &&
          (one.latest || input.historyFilter === "ALL"),
      );
      const { entries, next } = page(found, input.maxResults, input.nextToken);
      return { deployments: entries.map((one) => summary(region, one)), nextToken: next };
    },
  ),

  rest(
    "greengrass",
    "CancelDeployment",
    "POST /greengrass/v2/deployments/{deploymentId}/cancel",
    { deploymentId: v.string() },
    ({ region, now }, input) => {
      const deployment = deploymentNamed(region, input.deploymentId);
      region.deployments.change(deployment.id).canceled = true;
      cancelQueued(region, deployment, now);
      offerToThing(region, deployment, now);
      return { message: `${deployment.id} is canceled` };
    },
  ),

  rest(
    "greengrass",
    "DeleteDeployment",
    "DELETE /greengrass/v2/deployments/{deploymentId} 204",
    { deploymentId: v.string() },
    ({ region }, input) => {
      const deployment = deploymentNamed(region, input.deploymentId);
      if (statusOf(region, deployment) === "ACTIVE") {
        throw new AwsError(
          409,
          "ConflictException",
          `Deployment ${deployment.id} is active: cancel it first`,
          { resourceId: deployment.id, resourceType: "deployment" },
        );
      }
      region.deployments.delete(deployment.id);
      region.executions.deleteAll({ left: deployment.id });
      return undefined;
    },
  ),

  rest(
    "greengrass",
    "ListEffectiveDeployments",
    `GET ${CORE_DEVICE_PATH}/effectiveDeployments`,
    { coreDeviceThingName: deviceName, ...paging },
    ({ region }, input) => {
      const { name } = coreDeviceNamed(region, input.coreDeviceThingName);
      const { entries, next } = page(executionsOf(region, name), input.maxResults, input.nextToken);
      const effectiveDeployments = entries.map(({ deployment, execution }) => ({
        deploymentId: deployment.id,
        deploymentName: deployment.name,
        ...job(region, deployment),
        targetArn: deployment.target,
        coreDeviceExecutionStatus: execution.status,
        reason: execution.reason ?? execution.status,
        creationTimestamp: execution.createdAt,
        modifiedTimestamp: execution.modifiedAt,
        statusDetails: {
          errorStack: execution.errors,
          errorTypes: execution.errorTypes,
        },
      }));
      return { effectiveDeployments, nextToken: next };
    },
  ),
];

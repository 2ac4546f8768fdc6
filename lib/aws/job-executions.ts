import { call } from "./call.ts";
import type { AwsAccess } from "./clients.ts";

/**
 * How a deployment to a group stands, by core: Greengrass carries it out as an IoT job, whose list of executions has
 * 250 cores a page (https://docs.aws.amazon.com/iot/latest/apireference/API_ListJobExecutionsForJob.html).
 */
export async function jobExecutions(access: AwsAccess, jobId: string): Promise<Map<string, string>> {
  const { paginateListJobExecutionsForJob } = await import("@aws-sdk/client-iot");
  const client = await access.iot();
  return await call({ action: "iot:ListJobExecutionsForJob", resource: jobId }, async () => {
    const statuses = new Map<string, string>();
    for await (const { executionSummaries = [] } of paginateListJobExecutionsForJob(
      { client, pageSize: 250 },
      { jobId },
    )) {
      for (const { thingArn = "", jobExecutionSummary } of executionSummaries) {
        statuses.set(thingArn.slice(thingArn.lastIndexOf("/") + 1), jobExecutionSummary?.status ?? "");
      }
    }
    return statuses;
  });
}

/** The core devices of a thing group that ever reported, by name. */
export async function coreDevicesOf(access: AwsAccess, thingGroupArn: string): Promise<Set<string>> {
  const { paginateListCoreDevices } = await import("@aws-sdk/client-greengrassv2");
  const client = await access.greengrass();
  return await call({ action: "greengrass:ListCoreDevices", resource: thingGroupArn }, async () => {
    const names = new Set<string>();
    for await (const { coreDevices = [] } of paginateListCoreDevices(
      { client, pageSize: 100 },
      { thingGroupArn },
    )) {
      coreDevices.forEach(({ coreDeviceThingName = "" }) => names.add(coreDeviceThingName));
    }
    return names;
  });
}

/** The id of the IoT job that carries out a deployment to a group. */
export async function jobOf(access: AwsAccess, deploymentId: string): Promise<string> {
  const { GetDeploymentCommand } = await import("@aws-sdk/client-greengrassv2");
  const greengrass = await access.greengrass();
  const { iotJobId = "" } = await call({ action: "greengrass:GetDeployment", resource: deploymentId }, () =>
    greengrass.send(new GetDeploymentCommand({ deploymentId })),
  );
  return iotJobId;
}

import { createHash } from "node:crypto";
import { ProblemError } from "../problem/index.ts";
import { call, lookUp } from "./call.ts";
import type { AwsAccess } from "./clients.ts";
import { checkOwner, INSTANCE_TAG } from "./ownership.ts";

/** The tag of a deployment that says which content it was made from. */
const CONTENT_TAG = "dospesos:content";

interface Update {
  readonly merge?: unknown;
  readonly reset?: string[];
}

/** A deployment as templates/deployment renders it: `merge` is JSON, of which the API takes the text. */
interface DeploymentContent {
  readonly components: Readonly<
    Record<string, { readonly componentVersion: string; readonly configurationUpdate?: Update }>
  >;
  readonly deploymentPolicies?: object;
  readonly iotJobConfiguration?: object;
}

export interface DeploymentWanted {
  readonly instance: string;
  /** ARN of the thing group. */
  readonly target: string;
  readonly name: string;
  /** Its text is what is compared: the same text is the same deployment. */
  readonly content: string;
}

/** What `deploy` and `check` look for on each core. */
export interface Deployed {
  readonly id: string;
  readonly target: string;
}

/**
 * The deployment with that content for that group: the one that is in effect, or a new one in its place. The
 * client token is a hash of the content and of the deployment that it replaces, so that asking twice makes
 * one, and going back to an older content makes a new one.
 * https://docs.aws.amazon.com/greengrass/v2/APIReference/API_CreateDeployment.html
 * @throws ProblemError (exit 4) where the group has a deployment that this instance did not make.
 */
export async function ensureDeployment(
  access: AwsAccess,
  { instance, target, name, content }: DeploymentWanted,
): Promise<Deployed> {
  const { CreateDeploymentCommand } = await import("@aws-sdk/client-greengrassv2");
  const greengrass = await access.greengrass();
  const digest = createHash("sha256").update(content).digest("hex");
  const latest = await latestDeployment(access, target);
  if (latest !== undefined) {
    checkOwner(`the deployment ${latest.name} of ${target}`, latest.tags[INSTANCE_TAG], instance);
    if (latest.tags[CONTENT_TAG] === digest && latest.status !== "CANCELED") {
      return { id: latest.id, target };
    }
  }
  const { components, deploymentPolicies, iotJobConfiguration } = JSON.parse(content) as DeploymentContent;
  const clientToken = createHash("sha256")
    .update(`${digest} ${target} ${latest?.id ?? ""}`)
    .digest("hex");
  const made = await call({ action: "greengrass:CreateDeployment", resource: target }, () =>
    greengrass.send(
      new CreateDeploymentCommand({
        targetArn: target,
        deploymentName: name,
        clientToken,
        tags: { [INSTANCE_TAG]: instance, [CONTENT_TAG]: digest },
        components: Object.fromEntries(
          Object.entries(components).map(([each, { componentVersion, configurationUpdate }]) => [
            each,
            { componentVersion, ...updateText(configurationUpdate) },
          ]),
        ),
        ...(deploymentPolicies === undefined ? {} : { deploymentPolicies }),
        ...(iotJobConfiguration === undefined ? {} : { iotJobConfiguration }),
      }),
    ),
  );
  if (made.deploymentId === undefined) {
    throw new ProblemError([{ code: "DP610", what: `AWS gave no id for the deployment of ${target}` }]);
  }
  return { id: made.deploymentId, target };
}

function updateText(update: Update | undefined) {
  if (update === undefined) {
    return {};
  }
  const { merge, reset } = update;
  return {
    configurationUpdate: {
      ...(merge === undefined ? {} : { merge: JSON.stringify(merge) }),
      ...(reset === undefined ? {} : { reset }),
    },
  };
}

interface Latest {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** https://docs.aws.amazon.com/greengrass/v2/APIReference/API_ListDeployments.html, API_GetDeployment.html */
async function latestDeployment(access: AwsAccess, targetArn: string): Promise<Latest | undefined> {
  const { ListDeploymentsCommand } = await import("@aws-sdk/client-greengrassv2");
  const greengrass = await access.greengrass();
  const { deployments = [] } = await call({ action: "greengrass:ListDeployments", resource: targetArn }, () =>
    greengrass.send(new ListDeploymentsCommand({ targetArn, historyFilter: "LATEST_ONLY" })),
  );
  const id = deployments.find((one) => one.isLatestForTarget)?.deploymentId;
  const found = id === undefined ? undefined : await deploymentOf(access, id);
  return id === undefined || found === undefined
    ? undefined
    : { id, name: found.deploymentName ?? id, status: found.deploymentStatus ?? "", tags: found.tags ?? {} };
}

async function deploymentOf(access: AwsAccess, deploymentId: string) {
  const { GetDeploymentCommand } = await import("@aws-sdk/client-greengrassv2");
  const greengrass = await access.greengrass();
  return await lookUp({ action: "greengrass:GetDeployment", resource: deploymentId }, () =>
    greengrass.send(new GetDeploymentCommand({ deploymentId })),
  );
}

/**
 * Ends and deletes the deployments of a target that the instance made, older ones as well: cores that join
 * the group later get nothing; what cores run stays.
 * https://docs.aws.amazon.com/greengrass/v2/APIReference/API_CancelDeployment.html, API_DeleteDeployment.html
 */
export async function removeDeployments(
  access: AwsAccess,
  targetArn: string,
  instance: string,
): Promise<void> {
  const { CancelDeploymentCommand, DeleteDeploymentCommand, paginateListDeployments } =
    await import("@aws-sdk/client-greengrassv2");
  const client = await access.greengrass();
  const ids = await call({ action: "greengrass:ListDeployments", resource: targetArn }, async () => {
    const found: string[] = [];
    for await (const { deployments = [] } of paginateListDeployments(
      { client, pageSize: 100 },
      { targetArn, historyFilter: "ALL" },
    )) {
      found.push(...deployments.map(({ deploymentId = "" }) => deploymentId));
    }
    return found;
  });
  for (const deploymentId of ids) {
    const found = await deploymentOf(access, deploymentId);
    if (found === undefined || found.tags?.[INSTANCE_TAG] !== instance) {
      continue;
    }
    if (found.deploymentStatus === "ACTIVE") {
      await call({ action: "greengrass:CancelDeployment", resource: deploymentId }, () =>
        client.send(new CancelDeploymentCommand({ deploymentId })),
      );
    }
    await call({ action: "greengrass:DeleteDeployment", resource: deploymentId }, () =>
      client.send(new DeleteDeploymentCommand({ deploymentId })),
    );
  }
}

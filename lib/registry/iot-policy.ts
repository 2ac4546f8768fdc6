import type { IoTClient } from "@aws-sdk/client-iot";
import { call, lookUp } from "../aws/call.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { checkOwner, instanceTags } from "../aws/ownership.ts";
import { ownerOf } from "../aws/thing-group.ts";

/**
 * Makes the IoT policy have this document as its only version.
 * @throws ProblemError (exit 4) where a policy of that name is not the instance's.
 */
export async function convergePolicy(
  access: AwsAccess,
  name: string,
  document: string,
  instance: string,
): Promise<void> {
  const { CreatePolicyCommand, CreatePolicyVersionCommand, GetPolicyCommand } =
    await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const found = await lookUp({ action: "iot:GetPolicy", resource: name }, () =>
    iot.send(new GetPolicyCommand({ policyName: name })),
  );
  if (found === undefined) {
    await call({ action: "iot:CreatePolicy", resource: name }, () =>
      iot.send(
        new CreatePolicyCommand({ policyName: name, policyDocument: document, tags: instanceTags(instance) }),
      ),
    );
    return;
  }
  checkOwner(`the IoT policy ${name}`, await ownerOf(access, found.policyArn ?? ""), instance);
  // Twice, since AWS keeps five versions at the most and an interrupted run may have left some.
  await deleteOldVersions(iot, name);
  if (found.policyDocument === document) {
    return;
  }
  await call({ action: "iot:CreatePolicyVersion", resource: name }, () =>
    iot.send(
      new CreatePolicyVersionCommand({ policyName: name, policyDocument: document, setAsDefault: true }),
    ),
  );
  await deleteOldVersions(iot, name);
}

/** Makes a policy that is not there; where it is all the same, it becomes what it shall be. */
export async function createPolicy(
  access: AwsAccess,
  name: string,
  document: string,
  instance: string,
): Promise<void> {
  const { CreatePolicyCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  try {
    await iot.send(
      new CreatePolicyCommand({ policyName: name, policyDocument: document, tags: instanceTags(instance) }),
    );
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ResourceAlreadyExistsException") {
      await call({ action: "iot:CreatePolicy", resource: name }, () => Promise.reject(error as Error));
    }
    await convergePolicy(access, name, document, instance);
  }
}

async function deleteOldVersions(iot: IoTClient, name: string): Promise<void> {
  const { DeletePolicyVersionCommand, ListPolicyVersionsCommand } = await import("@aws-sdk/client-iot");
  const { policyVersions = [] } = await call({ action: "iot:ListPolicyVersions", resource: name }, () =>
    iot.send(new ListPolicyVersionsCommand({ policyName: name })),
  );
  for (const { versionId, isDefaultVersion } of policyVersions) {
    if (isDefaultVersion === true) {
      continue;
    }
    await call({ action: "iot:DeletePolicyVersion", resource: name }, () =>
      iot.send(new DeletePolicyVersionCommand({ policyName: name, policyVersionId: versionId })),
    );
  }
}

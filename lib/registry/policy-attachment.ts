import { call } from "../aws/call.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { ownerOf } from "../aws/thing-group.ts";

interface Attached {
  readonly name: string;
  readonly arn: string;
}

/**
 * Attaches the policies to the certificate, and takes away other ones of the instance. What somebody else
 * attached stays.
 */
export async function convergeAttachments(
  access: AwsAccess,
  target: string,
  wanted: readonly string[],
  instance: string,
): Promise<void> {
  const present = await attachedPolicies(access, target);
  await attachPolicies(
    access,
    target,
    wanted.filter((policy) => !present.some(({ name }) => name === policy)),
  );
  for (const { name, arn } of present) {
    if (!wanted.includes(name) && (await ownerOf(access, arn)) === instance) {
      await detach(access, target, name);
    }
  }
}

/** Attaches policies to a certificate that has none of them. */
export async function attachPolicies(
  access: AwsAccess,
  target: string,
  policies: readonly string[],
): Promise<void> {
  const { AttachPolicyCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  await Promise.all(
    policies.map((policyName) =>
      call({ action: "iot:AttachPolicy", resource: policyName }, () =>
        iot.send(new AttachPolicyCommand({ policyName, target })),
      ),
    ),
  );
}

/** Takes every policy from the certificate. */
export async function detachAll(access: AwsAccess, target: string): Promise<void> {
  for (const { name } of await attachedPolicies(access, target)) {
    await detach(access, target, name);
  }
}

/** All of them: a certificate has ten policies at the most, fewer than a page holds. */
async function attachedPolicies(access: AwsAccess, target: string): Promise<Attached[]> {
  const { ListAttachedPoliciesCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const { policies = [] } = await call({ action: "iot:ListAttachedPolicies", resource: target }, () =>
    iot.send(new ListAttachedPoliciesCommand({ target })),
  );
  return policies.map(({ policyName = "", policyArn = "" }) => ({ name: policyName, arn: policyArn }));
}

async function detach(access: AwsAccess, target: string, policyName: string): Promise<void> {
  const { DetachPolicyCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  await call({ action: "iot:DetachPolicy", resource: policyName }, () =>
    iot.send(new DetachPolicyCommand({ policyName, target })),
  );
}

import { decidePolicies, type PolicyContext, type Decision } from "../../aws/iot-policy.ts";
import type { Certificate, Region } from "../account.ts";
import { defaultVersion } from "../policy-versions.ts";
import { groupTarget } from "./registry.ts";

/** Who asks: a certificate, the thing that it speaks for, and over MQTT the id of its client. */
export interface Principal extends PolicyContext {
  readonly certificate: Certificate;
}

/**
 * Whether the policies of the certificate, and of its thing's groups, allow an action on a resource (an ARN).
 */
export function decide(region: Region, principal: Principal, action: string, resource: string): Decision {
  const groups = principal.thing === undefined ? [] : region.memberships.leftOf(principal.thing);
  const names = [principal.certificate.id, ...groups.map(groupTarget)].flatMap((target) =>
    region.attachments.rightOf(target),
  );
  const policies = names.flatMap((name) => {
    const policy = region.policies.get(name);
    return policy === undefined ? [] : [{ name, document: defaultVersion(policy).document }];
  });
  return decidePolicies(policies, principal, action, resource);
}

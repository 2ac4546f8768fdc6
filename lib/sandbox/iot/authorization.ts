import { decidePolicies, type PolicyContext, type Decision } from "../../aws/iot-policy.ts";
import type { Certificate, Region } from "../account.ts";
import { defaultVersion } from "../policy-versions.ts";

/** Who asks: a certificate, the thing that it speaks for, and over MQTT the id of its client. */
export interface Principal extends PolicyContext {
  readonly certificate: Certificate;
}

/**
 * Whether the policies of the certificate, and of its thing's groups, allow an action on a resource (an ARN).
 */
export function decide(region: Region, principal: Principal, action: string, resource: string): Decision {
  const groups = [...region.groups.values()].filter(
    ({ things }) => principal.thing !== undefined && things.includes(principal.thing),
  );
  const names = [...principal.certificate.policies, ...groups.flatMap(({ policies }) => policies)];
  const policies = names.flatMap((name) => {
    const policy = region.policies.get(name);
    return policy === undefined ? [] : [{ name, document: defaultVersion(policy).document }];
  });
  return decidePolicies(policies, principal, action, resource);
}

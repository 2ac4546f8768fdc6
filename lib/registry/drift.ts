import { call, lookUp } from "../aws/call.ts";
import type { AwsAccess } from "../aws/clients.ts";
import type { RegisteredCore, RegisteredThing } from "./register.ts";

/** One way in which the account differs from what was registered. */
export interface RegistryDrift {
  readonly address: string;
  readonly what: string;
}

/** Looks at a core or client thing in the account: its thing, its certificate, its policies and its group. */
export async function driftOfRegistered(
  access: AwsAccess,
  registered: RegisteredCore | RegisteredThing,
): Promise<RegistryDrift[]> {
  const {
    DescribeCertificateCommand,
    DescribeThingCommand,
    ListAttachedPoliciesCommand,
    ListThingGroupsForThingCommand,
    ListThingPrincipalsCommand,
  } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const { thing_name: thingName, certificate_arn: arn, certificate_id: certificateId } = registered;
  const thing = await lookUp({ action: "iot:DescribeThing", resource: thingName }, () =>
    iot.send(new DescribeThingCommand({ thingName })),
  );
  if (thing === undefined) {
    return [{ address: "thing", what: "is gone" }];
  }
  const drift: RegistryDrift[] = [];
  const { principals = [] } = await call({ action: "iot:ListThingPrincipals", resource: thingName }, () =>
    iot.send(new ListThingPrincipalsCommand({ thingName })),
  );
  if (!principals.includes(arn)) {
    drift.push({ address: "certificate", what: "is not attached to the thing" });
  }
  const certificate = await lookUp({ action: "iot:DescribeCertificate", resource: certificateId }, () =>
    iot.send(new DescribeCertificateCommand({ certificateId })),
  );
  const status = certificate?.certificateDescription?.status;
  if (status !== "ACTIVE") {
    drift.push({ address: "certificate", what: status === undefined ? "is gone" : `is ${status}` });
  } else {
    const { policies = [] } = await call({ action: "iot:ListAttachedPolicies", resource: arn }, () =>
      iot.send(new ListAttachedPoliciesCommand({ target: arn })),
    );
    if (policies.length === 0) {
      drift.push({ address: "policy", what: "is not attached to the certificate" });
    }
  }
  if ("groups" in registered) {
    const group = registered.arn.slice(registered.arn.lastIndexOf("/") + 1);
    const { thingGroups = [] } = await call(
      { action: "iot:ListThingGroupsForThing", resource: thingName },
      () => iot.send(new ListThingGroupsForThingCommand({ thingName })),
    );
    if (!thingGroups.some(({ groupName }) => groupName === group)) {
      drift.push({ address: "thing group", what: `${thingName} is not in ${group}` });
    }
  }
  return drift;
}

import { call } from "./call.ts";
import { certificateState, connectivityOf } from "./device-state.ts";
import type { AwsAccess } from "./clients.ts";
import { INSTANCE_ATTRIBUTE } from "./ownership.ts";

export interface DescribedThing {
  /** e.g. ["ACTIVE"], one for each certificate. */
  readonly certificates: readonly string[];
  readonly connected: string;
}

/**
 * The names of the things of the account that the instance made, sorted
 * (https://docs.aws.amazon.com/iot/latest/apireference/API_ListThings.html).
 */
export async function thingNames(access: AwsAccess, instance: string): Promise<string[]> {
  const { paginateListThings } = await import("@aws-sdk/client-iot");
  const client = await access.iot();
  return await call({ action: "iot:ListThings", resource: instance }, async () => {
    const found: string[] = [];
    for await (const { things = [] } of paginateListThings(
      { client, pageSize: 250 },
      { attributeName: INSTANCE_ATTRIBUTE, attributeValue: instance },
    )) {
      found.push(...things.map(({ thingName = "" }) => thingName));
    }
    return found.sort();
  });
}

/** The certificates of a thing, and whether it is connected: some calls, and a query that AWS charges for. */
export async function describeThing(access: AwsAccess, name: string): Promise<DescribedThing> {
  const { ListThingPrincipalsCommand } = await import("@aws-sdk/client-iot");
  const client = await access.iot();
  const { principals = [] } = await call({ action: "iot:ListThingPrincipals", resource: name }, () =>
    client.send(new ListThingPrincipalsCommand({ thingName: name })),
  );
  const states = await Promise.all(
    principals.map((arn) => certificateState(access, arn.slice(arn.lastIndexOf("/") + 1))),
  );
  const connectivity = await connectivityOf(access, name);
  const seen = typeof connectivity === "object" && connectivity.connected ? "connected" : "not connected";
  return {
    certificates: states.map(({ status = "unknown" }) => status),
    connected: typeof connectivity === "string" ? connectivity : seen,
  };
}

/**
 * The core devices of the account, all of them, with their state
 * (https://docs.aws.amazon.com/greengrass/v2/APIReference/API_ListCoreDevices.html).
 */
export async function allCoreDevices(access: AwsAccess): Promise<{ name: string; status: string }[]> {
  const { paginateListCoreDevices } = await import("@aws-sdk/client-greengrassv2");
  const client = await access.greengrass();
  return await call({ action: "greengrass:ListCoreDevices", resource: "all" }, async () => {
    const found: { name: string; status: string }[] = [];
    for await (const { coreDevices = [] } of paginateListCoreDevices({ client, pageSize: 100 }, {})) {
      found.push(...coreDevices.map(({ coreDeviceThingName: name = "", status = "" }) => ({ name, status })));
    }
    return found;
  });
}

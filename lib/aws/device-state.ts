import { call, lookUp } from "./call.ts";
import type { AwsAccess } from "./clients.ts";
import type { NamedPolicy } from "./iot-policy.ts";

/**
 * Whether a thing is connected over MQTT. "not seen" by the fleet index: it never connected, or the index is off, as
 * a new account's is; "unknown" where the index says so itself, or this user may not ask it.
 */
export type Connectivity =
  | { readonly connected: boolean; readonly at: Date | undefined; readonly reason: string | undefined }
  | "not seen"
  | "unknown";

/** What AWS answers where connectivity is not indexed, or must not be looked at. */
const NOT_SEEN = [
  "InvalidRequestException",
  "IndexNotReadyException",
  "AccessDeniedException",
  "UnauthorizedException",
];

/**
 * https://docs.aws.amazon.com/iot/latest/apireference/API_GetThingConnectivityData.html; it needs fleet
 * indexing of connectivity, and AWS counts it as a query of the index, which has a price.
 */
export async function connectivityOf(access: AwsAccess, thingName: string): Promise<Connectivity> {
  const { GetThingConnectivityDataCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  try {
    const {
      connected = false,
      timestamp,
      disconnectReason,
    } = await iot.send(new GetThingConnectivityDataCommand({ thingName }));
    return { connected, at: timestamp, reason: disconnectReason };
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "ResourceNotFoundException") {
      return "not seen";
    }
    if (NOT_SEEN.includes(name)) {
      return "unknown";
    }
    return await call({ action: "iot:GetThingConnectivityData", resource: thingName }, () =>
      Promise.reject(error as Error),
    );
  }
}

/**
 * https://docs.aws.amazon.com/greengrass/v2/APIReference/API_GetCoreDevice.html; undefined for a core that
 * never reported.
 */
export async function coreDevice(
  access: AwsAccess,
  name: string,
): Promise<{ readonly status: string; readonly at: Date; readonly version: string } | undefined> {
  const { GetCoreDeviceCommand } = await import("@aws-sdk/client-greengrassv2");
  const greengrass = await access.greengrass();
  const found = await lookUp({ action: "greengrass:GetCoreDevice", resource: name }, () =>
    greengrass.send(new GetCoreDeviceCommand({ coreDeviceThingName: name })),
  );
  return found === undefined
    ? undefined
    : {
        status: found.status ?? "",
        at: found.lastStatusUpdateTimestamp ?? new Date(0),
        version: found.coreVersion ?? "",
      };
}

/** The components of a core that do not work, e.g. "com.example.Hello 1.0.3 is BROKEN". */
export async function faultyComponents(access: AwsAccess, core: string): Promise<string[]> {
  const { paginateListInstalledComponents } = await import("@aws-sdk/client-greengrassv2");
  const client = await access.greengrass();
  return await call({ action: "greengrass:ListInstalledComponents", resource: core }, async () => {
    const faulty: string[] = [];
    for await (const { installedComponents = [] } of paginateListInstalledComponents(
      { client, pageSize: 100 },
      { coreDeviceThingName: core, topologyFilter: "ALL" },
    )) {
      for (const one of installedComponents) {
        const { componentName, componentVersion, lifecycleState, lifecycleStateDetails: why = "" } = one;
        if (lifecycleState === "ERRORED" || lifecycleState === "BROKEN") {
          const reason = why === "" ? "" : ` (${why})`;
          faulty.push(`${componentName} ${componentVersion} is ${lifecycleState}${reason}`);
        }
      }
    }
    return faulty;
  });
}

export interface EffectiveDeployment {
  readonly id: string;
  /** SUCCEEDED, FAILED, IN_PROGRESS, QUEUED, … */
  readonly status: string;
  readonly reason: string;
  readonly errors: readonly string[];
}

/**
 * What the deployment came to on a core; undefined where the core does not have it.
 * https://docs.aws.amazon.com/greengrass/v2/APIReference/API_ListEffectiveDeployments.html
 */
export async function effectiveDeployment(
  access: AwsAccess,
  core: string,
  deploymentId: string,
): Promise<EffectiveDeployment | undefined> {
  const { paginateListEffectiveDeployments } = await import("@aws-sdk/client-greengrassv2");
  const client = await access.greengrass();
  return await lookUp({ action: "greengrass:ListEffectiveDeployments", resource: core }, async () => {
    for await (const { effectiveDeployments = [] } of paginateListEffectiveDeployments(
      { client, pageSize: 100 },
      { coreDeviceThingName: core },
    )) {
      const found = effectiveDeployments.find((one) => one.deploymentId === deploymentId);
      if (found !== undefined) {
        return {
          id: deploymentId,
          status: found.coreDeviceExecutionStatus ?? "",
          reason: found.reason ?? "",
          errors: found.statusDetails?.errorStack ?? [],
        };
      }
    }
    return undefined;
  });
}

export interface CertificateState {
  readonly id: string;
  /** ACTIVE, INACTIVE, REVOKED, …; undefined for one that the account does not know. */
  readonly status: string | undefined;
  /** The things that it speaks for. */
  readonly things: readonly string[];
  readonly policies: readonly NamedPolicy[];
}

/** All that decides what a device with the certificate may do. */
export async function certificateState(access: AwsAccess, certificateId: string): Promise<CertificateState> {
  const {
    DescribeCertificateCommand,
    GetPolicyCommand,
    ListAttachedPoliciesCommand,
    ListPrincipalThingsCommand,
  } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  const found = (
    await lookUp({ action: "iot:DescribeCertificate", resource: certificateId }, () =>
      iot.send(new DescribeCertificateCommand({ certificateId })),
    )
  )?.certificateDescription;
  const arn = found?.certificateArn;
  if (found === undefined || arn === undefined) {
    return { id: certificateId, status: undefined, things: [], policies: [] };
  }
  const { things = [] } = await call({ action: "iot:ListPrincipalThings", resource: arn }, () =>
    iot.send(new ListPrincipalThingsCommand({ principal: arn })),
  );
  const { policies = [] } = await call({ action: "iot:ListAttachedPolicies", resource: arn }, () =>
    iot.send(new ListAttachedPoliciesCommand({ target: arn, recursive: true })),
  );
  const documents = await Promise.all(
    policies.map(async ({ policyName = "" }) => {
      const { policyDocument = "{}" } = await call({ action: "iot:GetPolicy", resource: policyName }, () =>
        iot.send(new GetPolicyCommand({ policyName })),
      );
      return { name: policyName, document: policyDocument };
    }),
  );
  return { id: certificateId, status: found.status, things, policies: documents };
}

/**
 * The account's MQTT endpoint
 * (https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeEndpoint.html).
 */
export async function dataEndpoint(access: AwsAccess): Promise<string> {
  const { DescribeEndpointCommand } = await import("@aws-sdk/client-iot");
  const iot = await access.iot();
  return (
    (
      await call({ action: "iot:DescribeEndpoint", resource: "iot:Data-ATS" }, () =>
        iot.send(new DescribeEndpointCommand({ endpointType: "iot:Data-ATS" })),
      )
    ).endpointAddress ?? ""
  );
}

/**
 * Where the core says that it is
 * (https://docs.aws.amazon.com/greengrass/v2/APIReference/API_GetConnectivityInfo.html).
 */
export async function coreAddresses(access: AwsAccess, core: string): Promise<string[]> {
  const { GetConnectivityInfoCommand } = await import("@aws-sdk/client-greengrassv2");
  const greengrass = await access.greengrass();
  const found = await lookUp({ action: "greengrass:GetConnectivityInfo", resource: core }, () =>
    greengrass.send(new GetConnectivityInfoCommand({ thingName: core })),
  );
  return (found?.connectivityInfo ?? []).map(({ hostAddress = "" }) => hostAddress);
}

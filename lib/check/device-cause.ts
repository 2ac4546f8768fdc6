import { createHash, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { certificateState, dataEndpoint } from "../aws/device-state.ts";
import type { AwsAccess } from "../aws/clients.ts";
import { decidePolicies } from "../aws/iot-policy.ts";
import { coreHosts } from "../aws/hosts.ts";
import { partitionOf } from "../aws/partition.ts";
import type { Cause } from "./chain.ts";

/** A right that a device needs: an action, and what follows the account in the resource's ARN. */
export interface Right {
  readonly action: string;
  readonly resource: string;
}

/** Greengrass' jobs have a namespace of their own, which their topics carry. */
function inNamespace(topic: string): string {
  return topic.replace("NS", "namespace-aws-gg-deployment");
}

/**
 * What a core needs to connect, to report its health and to take deployments: the topics that aws-greengrass-nucleus
 * and aws-greengrass-lite use.
 */
export function coreRights(name: string): Right[] {
  return [
    { action: "iot:Connect", resource: `client/${name}` },
    { action: "iot:Publish", resource: `topic/$aws/things/${name}/greengrassv2/health/json` },
    ...["$next/NS/get/accepted", "notify-NS", "notify-next-NS"].flatMap((jobs) => [
      { action: "iot:Subscribe", resource: `topicfilter/$aws/things/${name}/jobs/${inNamespace(jobs)}` },
      { action: "iot:Receive", resource: `topic/$aws/things/${name}/jobs/${inNamespace(jobs)}` },
    ]),
    { action: "iot:Publish", resource: `topic/$aws/things/${name}/jobs/${inNamespace("$next/NS/get")}` },
    { action: "iot:Publish", resource: `topic/$aws/things/${name}/jobs/+/${inNamespace("NS/update")}` },
  ];
}

/**
 * Why a device cannot get in with the certificate that its bundle carries, or undefined where nothing in the
 * account is against it.
 */
export async function identityCause(
  access: AwsAccess,
  account: string,
  folder: string,
  name: string,
  rights: readonly Right[],
): Promise<Cause | undefined> {
  const file = join(folder, "device.pem.crt");
  if (!existsSync(file)) {
    return { cause: `there is no bundle of ${name} here to compare with`, fix: "dospesos build" };
  }
  const id = createHash("sha256")
    .update(new X509Certificate(readFileSync(file, "utf8")).raw)
    .digest("hex");
  const { status, things, policies } = await certificateState(access, id);
  const certificate = `certificate ${id.slice(0, 8)}… of ${name}`;
  const region = `--region ${access.region}`;
  if (status === undefined) {
    return {
      cause: `the ${certificate} is not known in account ${account}, ${access.region}`,
      fix: "dospesos build --verify, then bring the new bundle to the device",
    };
  }
  if (status !== "ACTIVE") {
    return {
      cause: `the ${certificate} is ${status}`,
      fix: `aws iot update-certificate ${region} --new-status ACTIVE --certificate-id ${id}`,
    };
  }
  if (!things.includes(name)) {
    return { cause: `the ${certificate} is not attached to its thing`, fix: "dospesos build --verify" };
  }
  for (const { action, resource } of rights) {
    const arn = `arn:${partitionOf(access.region).name}:iot:${access.region}:${account}:${resource}`;
    const { allowed, why } = decidePolicies(policies, { thing: name, clientId: name }, action, arn);
    if (!allowed) {
      return {
        cause: `the policies lack a right: ${why}`,
        fix: "dospesos build --verify puts the policy right; a statement that somebody added has to go",
      };
    }
  }
  return undefined;
}

/** Whether the bundle names another endpoint than the account's. */
export async function endpointCause(access: AwsAccess, folder: string): Promise<Cause | undefined> {
  const file = join(folder, "config.yaml");
  const [, said] = existsSync(file)
    ? (/^\s*iotDataEndpoint: *"([^"]*)"/m.exec(readFileSync(file, "utf8")) ?? [])
    : [];
  const real = await dataEndpoint(access);
  const withFips = coreHosts({ region: access.region, fips: true, data: real, credentials: "" }).data;
  if (said === undefined || said === real || said === withFips) {
    return undefined;
  }
  return {
    cause: `the bundle names the endpoint ${said}, but the account's is ${real}`,
    fix: "dospesos build, then bring the new bundle to the device",
  };
}

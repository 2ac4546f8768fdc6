import { partitionOf } from "../aws/partition.ts";
import { SANDBOX_ACCOUNT, type Region } from "./account.ts";

/** The ARN of an IoT resource, e.g. thing/core-1, thinggroup/fleet, cert/…, policy/…, rolealias/… */
export function iotArn(region: Region, resource: string): string {
  return `arn:${partitionOf(region.name).name}:iot:${region.name}:${SANDBOX_ACCOUNT}:${resource}`;
}

/** The ARN of an IAM resource, which belongs to no region, e.g. role/token-exchange. */
export function iamArn(region: Region, resource: string): string {
  return `arn:${partitionOf(region.name).name}:iam::${SANDBOX_ACCOUNT}:${resource}`;
}

/** What follows "TYPE/" in an ARN of this region and account, or undefined where the ARN is another one. */
export function nameInArn(region: Region, arn: string, type: string): string | undefined {
  const prefix = iotArn(region, `${type}/`);
  return arn.startsWith(prefix) ? arn.slice(prefix.length) : undefined;
}

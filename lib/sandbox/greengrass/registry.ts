import * as v from "valibot";
import type { CoreDevice, Region } from "../account.ts";
import { AwsError } from "../operation.ts";

/** Where a core device is. */
export const CORE_DEVICE_PATH = "/greengrass/v2/coreDevices/{coreDeviceThingName}";

/** The name of a core device or of a client device: both are things. */
export const deviceName = v.pipe(v.string(), v.minLength(1), v.maxLength(128));

/** https://docs.aws.amazon.com/greengrass/v2/APIReference/API_CreateDeployment.html, clientToken */
export const clientToken = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9-]{1,64}$/));

export function noCoreDevice(name: string): AwsError {
  const detail = { resourceId: name, resourceType: "coreDevice" };
  return new AwsError(404, "ResourceNotFoundException", `Core device ${name} does not exist`, detail);
}

export function coreDeviceNamed(region: Region, name: string): CoreDevice {
  const found = region.coreDevices.get(name);
  if (found === undefined) {
    throw noCoreDevice(name);
  }
  return found;
}

export function notFound(resourceType: string, resourceId: string): AwsError {
  return new AwsError(404, "ResourceNotFoundException", `${resourceType} ${resourceId} does not exist`, {
    resourceId,
    resourceType,
  });
}

export function invalid(message: string): AwsError {
  return new AwsError(400, "ValidationException", message);
}

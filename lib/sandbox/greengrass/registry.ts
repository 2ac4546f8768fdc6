import * as v from "valibot";
import { AwsError } from "../operation.ts";

/** Where a core device is. */
export const CORE_DEVICE_PATH = "/greengrass/v2/coreDevices/{coreDeviceThingName}";

/** The name of a core device or of a client device: both are things. */
export const deviceName = v.pipe(v.string(), v.minLength(1), v.maxLength(128));

export function noCoreDevice(name: string): AwsError {
  const detail = { resourceId: name, resourceType: "coreDevice" };
  return new AwsError(404, "ResourceNotFoundException", `Core device ${name} does not exist`, detail);
}

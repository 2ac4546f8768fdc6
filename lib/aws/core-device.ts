import { lookUp } from "./call.ts";
import type { AwsAccess } from "./clients.ts";

/**
 * Removes a core from Greengrass, where it appears when its nucleus first connects; the thing stays. One that
 * is not there is no error. https://docs.aws.amazon.com/greengrass/v2/APIReference/API_DeleteCoreDevice.html
 */
export async function deleteCoreDevice(access: AwsAccess, coreDeviceThingName: string): Promise<void> {
  const { DeleteCoreDeviceCommand } = await import("@aws-sdk/client-greengrassv2");
  const greengrass = await access.greengrass();
  await lookUp({ action: "greengrass:DeleteCoreDevice", resource: coreDeviceThingName }, () =>
    greengrass.send(new DeleteCoreDeviceCommand({ coreDeviceThingName })),
  );
}

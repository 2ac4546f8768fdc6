import { clientDeviceOperations } from "./client-devices.ts";
import { componentOperations } from "./components.ts";
import { connectivityOperations } from "./connectivity.ts";
import { coreDeviceOperations } from "./core-devices.ts";
import { deploymentOperations } from "./deployments.ts";
import { serviceRoleOperations } from "./service-role.ts";

/** The part of AWS IoT Greengrass V2 that the sandbox knows (API version 2020-11-30). */
export const greengrassOperations = [
  ...serviceRoleOperations,
  ...clientDeviceOperations,
  ...coreDeviceOperations,
  ...connectivityOperations,
  ...deploymentOperations,
  ...componentOperations,
];

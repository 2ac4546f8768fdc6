import * as v from "valibot";
import { integer } from "../members.ts";
import { rest } from "../operation.ts";
import { CORE_DEVICE_PATH, deviceName, noCoreDevice } from "./registry.ts";

/** A core device exists from the moment when its nucleus first connects. No nucleus connects to a sandbox, so there is none. */
export const coreDeviceOperations = [
  rest("greengrass", "GetCoreDevice", `GET ${CORE_DEVICE_PATH}`, { coreDeviceThingName: deviceName }, (_, input) => {
    throw noCoreDevice(input.coreDeviceThingName);
  }),

  rest("greengrass", "DeleteCoreDevice", `DELETE ${CORE_DEVICE_PATH}`, { coreDeviceThingName: deviceName }, (_, input) => {
    throw noCoreDevice(input.coreDeviceThingName);
  }),

  rest("greengrass", "ListCoreDevices", "GET /greengrass/v2/coreDevices", {
    thingGroupArn: v.optional(v.string()),
    status: v.optional(v.picklist(["HEALTHY", "UNHEALTHY"])),
    runtime: v.optional(v.string()),
    maxResults: v.optional(integer),
    nextToken: v.optional(v.string()),
  }, () => ({ coreDevices: [] })),
];

import * as v from "valibot";
import type { Region } from "../account.ts";
import { integer, page } from "../members.ts";
import { rest } from "../operation.ts";
import { CORE_DEVICE_PATH, deviceName, noCoreDevice } from "./registry.ts";

const coreDeviceThingName = deviceName;
const entries = v.pipe(v.array(v.strictObject({ thingName: deviceName })), v.minLength(1), v.maxLength(100));

interface ErrorEntry {
  readonly thingName: string;
  readonly code: string;
  readonly message: string;
}

function checkCore(region: Region, name: string): void {
  if (!region.things.has(name)) {
    throw noCoreDevice(name);
  }
}

/**
 * Which client devices may discover which core. One bad entry does not stop the others: it comes back in
 * errorEntries.
 */
export const clientDeviceOperations = [
  rest(
    "greengrass",
    "BatchAssociateClientDeviceWithCoreDevice",
    `POST ${CORE_DEVICE_PATH}/associateClientDevices`,
    {
      coreDeviceThingName,
      entries,
    },
    ({ region, now }, input) => {
      const core = input.coreDeviceThingName;
      checkCore(region, core);
      const errorEntries: ErrorEntry[] = [];
      for (const { thingName } of input.entries) {
        if (!region.things.has(thingName)) {
          errorEntries.push({
            thingName,
            code: "ResourceNotFoundException",
            message: `Thing ${thingName} does not exist`,
          });
        } else if (!region.associations.hasPair(core, thingName)) {
          region.associations.setPair(core, thingName, { at: now });
        }
      }
      return { errorEntries };
    },
  ),

  rest(
    "greengrass",
    "BatchDisassociateClientDeviceFromCoreDevice",
    `POST ${CORE_DEVICE_PATH}/disassociateClientDevices`,
    {
      coreDeviceThingName,
      entries,
    },
    ({ region }, input) => {
      const core = input.coreDeviceThingName;
      checkCore(region, core);
      const errorEntries: ErrorEntry[] = [];
      for (const { thingName } of input.entries) {
        if (!region.associations.deletePair(core, thingName)) {
          const message = `Thing ${thingName} is not associated with ${core}`;
          errorEntries.push({ thingName, code: "ResourceNotFoundException", message });
        }
      }
      return { errorEntries };
    },
  ),

  rest(
    "greengrass",
    "ListClientDevicesAssociatedWithCoreDevice",
    `GET ${CORE_DEVICE_PATH}/associatedClientDevices`,
    {
      coreDeviceThingName,
      maxResults: v.optional(integer),
      nextToken: v.optional(v.string()),
    },
    ({ region }, input) => {
      checkCore(region, input.coreDeviceThingName);
      const core = input.coreDeviceThingName;
      const { entries: part, next } = page(
        region.associations.rightOf(core),
        input.maxResults,
        input.nextToken,
      );
      const associatedClientDevices = part.map((device) => ({
        thingName: device,
        associationTimestamp: region.associations.getPair(core, device)!.at,
      }));
      return { associatedClientDevices, nextToken: next };
    },
  ),
];

import * as v from "valibot";
import { flag } from "../members.ts";
import { rest } from "../operation.ts";
import { notFound, thingName, thingNamed } from "./registry.ts";

/**
 * Whether a thing is connected over MQTT
 * (https://docs.aws.amazon.com/iot/latest/apireference/API_GetThingConnectivityData.html).
 */
export const connectivityOperations = [
  rest(
    "iot",
    "GetThingConnectivityData",
    "POST /things/{thingName}/connectivity-data",
    { thingName, includeSocketInformation: v.optional(flag) },
    ({ region }, input) => {
      const found = region.connections.get(thingNamed(region, input.thingName).name);
      if (found === undefined) {
        throw notFound(`Connectivity data of ${input.thingName}`);
      }
      return {
        thingName: input.thingName,
        connected: found.connected,
        timestamp: found.at,
        ...(found.connected ? {} : { disconnectReason: found.reason ?? "NONE" }),
      };
    },
  ),
];

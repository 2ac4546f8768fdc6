import * as v from "valibot";
import type { Address, Region } from "../account.ts";
import { rest } from "../operation.ts";
import { deviceName, notFound } from "./registry.ts";

const portNumber = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)), 0);
export const ConnectivityInfo = v.pipe(
  v.array(
    v.strictObject({
      Id: v.string(),
      HostAddress: v.pipe(v.string(), v.minLength(1)),
      PortNumber: portNumber,
      Metadata: v.optional(v.string(), ""),
    }),
  ),
  v.maxLength(50),
);

/**
 * Where a core says that its client devices reach it
 * (https://docs.aws.amazon.com/greengrass/v2/developerguide/manage-core-device-endpoints.html).
 */
export const connectivityOperations = [
  rest(
    "greengrass",
    "GetConnectivityInfo",
    "GET /greengrass/things/{ThingName}/connectivityInfo",
    { ThingName: deviceName },
    ({ region }, input) => {
      if (!region.things.has(input.ThingName)) {
        throw notFound("thing", input.ThingName);
      }
      const addresses = region.connectivity.get(input.ThingName)?.addresses ?? [];
      return { ConnectivityInfo: addresses.map(sentAddress) };
    },
  ),

  rest(
    "greengrass",
    "UpdateConnectivityInfo",
    "PUT /greengrass/things/{ThingName}/connectivityInfo",
    { ThingName: deviceName, ConnectivityInfo },
    ({ region }, input) => {
      if (!region.things.has(input.ThingName)) {
        throw notFound("thing", input.ThingName);
      }
      const addresses = input.ConnectivityInfo.map(addressIn);
      return { Version: String(setConnectivity(region, input.ThingName, addresses)) };
    },
  ),
];

/** An address as Greengrass sends it. */
export function sentAddress({
  id,
  host,
  port,
  metadata,
}: Readonly<Address>): v.InferOutput<typeof ConnectivityInfo>[number] {
  return { Id: id, HostAddress: host, PortNumber: port, Metadata: metadata };
}

export function addressIn(sent: v.InferOutput<typeof ConnectivityInfo>[number]): Address {
  return { id: sent.Id, host: sent.HostAddress, port: sent.PortNumber, metadata: sent.Metadata };
}

/** Sets the addresses of a core and gives their new version. */
export function setConnectivity(region: Region, thing: string, addresses: Address[]): number {
  const version = (region.connectivity.get(thing)?.version ?? 0) + 1;
  region.connectivity.set(thing, { addresses, version });
  return version;
}

import type { Region } from "../account.ts";
import { sentAddress } from "../greengrass/connectivity.ts";
import { thingArn, type Route } from "./https.ts";

/**
 * Greengrass' data plane as a client device sees it. An inactive certificate gets an empty reply, a missing right
 * 403, and a thing without a core that can be reached 404
 * (https://docs.aws.amazon.com/greengrass/v2/developerguide/greengrass-discover-api.html).
 */
export const discoveryRoutes: readonly Route[] = [
  {
    pattern: "GET /greengrass/discover/thing/{thing}",
    silent: true,
    handle: ({ region, principal, path: { thing = "" }, must }) => {
      const refused = must("greengrass:Discover", thingArn(region, thing));
      if (refused !== undefined) {
        return refused;
      }
      if (!region.principals.hasPair(principal.certificate.id, thing)) {
        return {
          status: 403,
          body: { message: "Forbidden" },
          why: `the certificate is not one of ${thing}`,
        };
      }
      const groups = region.associations.leftOf(thing).flatMap((core) => groupOf(region, core));
      return groups.length === 0
        ? { status: 404, body: { message: `No core that ${thing} is associated with can be reached` } }
        : { status: 200, body: { GGGroups: groups } };
    },
  },
];

/**
 * Each core is a group of its own in Greengrass V2. One without addresses or without a CA cannot be reached.
 */
function groupOf(region: Region, core: string): object[] {
  const addresses = region.connectivity.get(core)?.addresses ?? [];
  const authorities = region.coreDevices.get(core)?.authorities ?? [];
  if (addresses.length === 0 || authorities.length === 0) {
    return [];
  }
  const Connectivity = addresses.map(sentAddress);
  return [
    {
      GGGroupId: `greengrassV2-coreDevice-${core}`,
      Cores: [{ thingArn: thingArn(region, core), Connectivity }],
      CAs: authorities,
    },
  ];
}

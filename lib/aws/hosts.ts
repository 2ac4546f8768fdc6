import { partitionOf } from "./partition.ts";

/** Where a core connects to. */
export interface CoreHosts {
  /** MQTT of AWS IoT Core. */
  readonly data: string;
  /** The credentials provider. */
  readonly credentials: string;
  /** HTTPS of Greengrass. */
  readonly greengrass: string;
  /** The nucleus' greengrassDataPlaneEndpoint: empty for its own choice, "iotData" for the host of `data`. */
  readonly greengrassSetting: "" | "iotData";
}

export interface CoreHostsOptions {
  readonly region: string;
  readonly fips: boolean;
  /** The account's own hosts (iot:DescribeEndpoint). */
  readonly data: string;
  readonly credentials: string;
}

/**
 * The hosts of a core. With FIPS none is the account's own
 * (https://docs.aws.amazon.com/greengrass/v2/developerguide/FIPS.html).
 */
export function coreHosts({ region, fips, data, credentials }: CoreHostsOptions): CoreHosts {
  if (!fips) {
    return { data, credentials, greengrass: greengrassHost(region), greengrassSetting: "" };
  }
  const base = `iot-fips.${region}.${partitionOf(region).domain}`;
  return {
    data: `data.${base}`,
    credentials: `data.credentials.${base}`,
    greengrass: `data.${base}`,
    greengrassSetting: "iotData",
  };
}

/**
 * Where client devices discover their cores, with FIPS, too: no other host is documented
 * (https://docs.aws.amazon.com/greengrass/v2/developerguide/greengrass-discover-api.html).
 */
export function greengrassHost(region: string): string {
  return `greengrass-ats.iot.${region}.${partitionOf(region).domain}`;
}

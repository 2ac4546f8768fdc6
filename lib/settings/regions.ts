import { didYouMean, shown } from "../problem/index.ts";

/**
 * Regions with AWS IoT Greengrass V2, by partition (AWS General Reference, "AWS IoT Greengrass V2 endpoints
 * and quotas").
 */
const GREENGRASS: Readonly<Record<string, readonly string[]>> = {
  aws: [
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-south-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-5",
  ],
  "aws-cn": ["cn-north-1"],
  "aws-us-gov": ["us-gov-east-1", "us-gov-west-1"],
};

/** Regions of partition aws with FIPS endpoints of AWS IoT (https://aws.amazon.com/compliance/fips/). */
export const FIPS_REGIONS: readonly string[] = ["ca-central-1", "us-east-1", "us-east-2", "us-west-2"];

/** Regions of partition aws that the same page does not list (names: AWS SDK, partitions). */
const WITHOUT_GREENGRASS: ReadonlySet<string> = new Set([
  "af-south-1",
  "ap-east-1",
  "ap-east-2",
  "ap-northeast-3",
  "ap-south-2",
  "ap-southeast-3",
  "ap-southeast-4",
  "ap-southeast-6",
  "ap-southeast-7",
  "ca-west-1",
  "eu-central-2",
  "eu-north-1",
  "eu-south-1",
  "eu-west-3",
  "il-central-1",
  "me-central-1",
  "me-south-1",
  "me-west-1",
  "mx-central-1",
  "sa-east-1",
  "sa-west-1",
  "us-west-1",
]);

/** Region names that tell another partition (AWS SDK, partitions). */
const PARTITIONS: readonly (readonly [RegExp, string])[] = [
  [/^cn-[a-z]+-\d+$/, "aws-cn"],
  [/^us-gov-[a-z]+-\d+$/, "aws-us-gov"],
  [/^eusc-[a-z]+-[a-z]+-\d+$/, "aws-eusc"],
  [/^(?:us|eu)-iso[a-z]?-[a-z]+-\d+$/, "aws-iso"],
];

/** The regions that `[aws] region` takes. */
export const REGIONS: readonly string[] = GREENGRASS["aws"] ?? [];

/** Why a region is not taken, or undefined. */
export function regionFault(region: string): string | undefined {
  if (REGIONS.includes(region)) {
    return undefined;
  }
  const partition = PARTITIONS.find(([pattern]) => pattern.test(region))?.[1];
  if (partition !== undefined) {
    return `region ${shown(region)} is in partition ${partition}; only partition aws is supported`;
  }
  if (WITHOUT_GREENGRASS.has(region)) {
    return `region ${shown(region)} has no AWS IoT Greengrass V2`;
  }
  const meant = didYouMean(region, REGIONS);
  return `unknown region ${shown(region)}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

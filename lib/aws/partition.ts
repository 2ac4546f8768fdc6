/**
 * The AWS partition of a region: the second part of every ARN in it, and the domain that its service hosts
 * end in.
 */
export interface Partition {
  readonly name: string;
  readonly domain: string;
}

/**
 * The partition that a region belongs to
 * (https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html).
 */
export function partitionOf(region: string): Partition {
  if (region.startsWith("cn-")) {
    return { name: "aws-cn", domain: "amazonaws.com.cn" };
  }
  if (region.startsWith("us-gov-")) {
    return { name: "aws-us-gov", domain: "amazonaws.com" };
  }
  return { name: "aws", domain: "amazonaws.com" };
}

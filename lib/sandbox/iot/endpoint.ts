import * as v from "valibot";
import { partitionOf } from "../../aws/partition.ts";
import { notImplemented, rest } from "../operation.ts";

/**
 * The account's hosts. Prefixes are made once with the account, so that they are the same for ever, as in
 * AWS.
 */
export const endpointOperations = [
  rest(
    "iot",
    "DescribeEndpoint",
    "GET /endpoint",
    {
      endpointType: v.optional(v.string(), "iot:Data"),
    },
    ({ account, region }, input) => {
      const domain = `iot.${region.name}.${partitionOf(region.name).domain}`;
      switch (input.endpointType) {
        case "iot:Data-ATS":
          return { endpointAddress: `${account.identity.dataPrefix}-ats.${domain}` };
        case "iot:CredentialProvider":
          return { endpointAddress: `${account.identity.credentialsPrefix}.credentials.${domain}` };
        default:
          throw notImplemented(`iot DescribeEndpoint of type ${input.endpointType}`);
      }
    },
  ),
];

import * as v from "valibot";
import { AwsError, rest } from "../operation.ts";
import { roleArn } from "../iam/roles.ts";

const rfc3339 = (seconds: number): string => new Date(seconds * 1000).toISOString();

/**
 * The one Greengrass service role of an account in a region
 * (https://docs.aws.amazon.com/greengrass/v2/developerguide/greengrass-service-role.html).
 */
export const serviceRoleOperations = [
  rest(
    "greengrass",
    "AssociateServiceRoleToAccount",
    "PUT /greengrass/servicerole",
    { RoleArn: v.string() },
    ({ account, region, now }, input) => {
      if (![...account.roles.values()].some((role) => roleArn(region, role) === input.RoleArn)) {
        throw new AwsError(400, "ValidationException", `${input.RoleArn} is not a role of this account`);
      }
      region.serviceRole.set("", { arn: input.RoleArn, associatedAt: now });
      return { AssociatedAt: rfc3339(now) };
    },
  ),

  rest("greengrass", "GetServiceRoleForAccount", "GET /greengrass/servicerole", {}, ({ region }) => {
    const role = region.serviceRole.get("");
    if (role === undefined) {
      throw new AwsError(
        404,
        "ResourceNotFoundException",
        "No service role is associated with this account in this region",
      );
    }
    return { AssociatedAt: rfc3339(role.associatedAt), RoleArn: role.arn };
  }),

  rest(
    "greengrass",
    "DisassociateServiceRoleFromAccount",
    "DELETE /greengrass/servicerole",
    {},
    ({ region, now }) => {
      region.serviceRole.delete("");
      return { DisassociatedAt: rfc3339(now) };
    },
  ),
];

import { iamArn } from "./arns.ts";
import { query } from "./operation.ts";

/** The part of AWS STS that the sandbox knows (API version 2011-06-15): everybody is the same user. */
export const stsOperations = [
  query("sts", "GetCallerIdentity", {}, ({ account, region }) => ({
    UserId: "AIDASANDBOXSANDBOX000",
    Account: account.identity.id,
    Arn: iamArn(region, "user/sandbox"),
  })),
];

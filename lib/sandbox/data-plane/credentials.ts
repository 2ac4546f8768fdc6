import { randomBytes } from "node:crypto";
import { iotArn } from "../arns.ts";
import type { Route } from "./https.ts";

/**
 * The credentials provider: a certificate gets temporary credentials of a role alias's role
 * (https://docs.aws.amazon.com/iot/latest/developerguide/authorizing-direct-aws.html). The sandbox's own APIs take
 * any, and AWS takes none of these.
 */
export const credentialRoutes: readonly Route[] = [
  {
    pattern: "GET /role-aliases/{alias}/credentials",
    handle: ({ region, path: { alias = "" }, must }) => {
      const found = region.aliases.get(alias);
      const refused = must("iot:AssumeRoleWithCertificate", iotArn(region, `rolealias/${alias}`));
      if (refused !== undefined) {
        return { ...refused, body: { message: "Access Denied" } };
      }
      if (found === undefined) {
        return { status: 404, body: { message: "Role alias does not exist" }, why: `no role alias ${alias}` };
      }
      const expiration = new Date(Date.now() + found.seconds * 1000).toISOString();
      return {
        status: 200,
        body: {
          credentials: {
            accessKeyId: `ASIASANDBOX${randomBytes(5).toString("hex").toUpperCase().slice(0, 9)}`,
            secretAccessKey: randomBytes(30).toString("base64"),
            sessionToken: randomBytes(60).toString("base64"),
            expiration: expiration.replace(/\.\d+Z$/, "Z"),
          },
        },
      };
    },
  },
];

import * as v from "valibot";
import { integer } from "../members.ts";

const specification = v.strictObject({
  componentVersion: v.pipe(v.string(), v.regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/)),
  configurationUpdate: v.optional(
    v.strictObject({
      merge: v.optional(v.pipe(v.string(), v.check(isJson, "merge is not JSON"))),
      reset: v.optional(v.array(v.string())),
    }),
  ),
  runWith: v.optional(
    v.strictObject({
      posixUser: v.optional(v.string()),
      windowsUser: v.optional(v.string()),
      systemResourceLimits: v.optional(
        v.strictObject({ memory: v.optional(integer), cpus: v.optional(v.number()) }),
      ),
    }),
  ),
});
export const components = v.record(v.string(), specification);
export const policies = v.strictObject({
  failureHandlingPolicy: v.optional(v.picklist(["ROLLBACK", "DO_NOTHING"])),
  componentUpdatePolicy: v.optional(
    v.strictObject({
      timeoutInSeconds: v.optional(integer),
      action: v.optional(v.picklist(["NOTIFY_COMPONENTS", "SKIP_NOTIFY_COMPONENTS"])),
    }),
  ),
  configurationValidationPolicy: v.optional(v.strictObject({ timeoutInSeconds: v.optional(integer) })),
});

/** What a caller asks of a deployment, as the account keeps it. */
export interface DeploymentDocument {
  readonly components: v.InferOutput<typeof components>;
  readonly deploymentPolicies?: v.InferOutput<typeof policies>;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

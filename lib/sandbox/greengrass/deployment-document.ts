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

const criterion = v.strictObject({
  failureType: v.picklist(["FAILED", "REJECTED", "TIMED_OUT", "ALL"]),
  action: v.literal("CANCEL"),
  thresholdPercentage: v.pipe(v.number(), v.minValue(0), v.maxValue(100)),
  minNumberOfExecutedThings: v.pipe(integer, v.minValue(1)),
});

/** How the job goes out and ends; rates that grow are not modelled. */
export const jobConfiguration = v.strictObject({
  jobExecutionsRolloutConfig: v.optional(
    v.strictObject({ maximumPerMinute: v.optional(v.pipe(integer, v.minValue(1), v.maxValue(1000))) }),
  ),
  abortConfig: v.optional(v.strictObject({ criteriaList: v.pipe(v.array(criterion), v.minLength(1)) })),
  timeoutConfig: v.optional(
    v.strictObject({
      inProgressTimeoutInMinutes: v.optional(v.pipe(integer, v.minValue(1), v.maxValue(10_080))),
    }),
  ),
});

/** What a caller asks of a deployment, as the account keeps it. */
export interface DeploymentDocument {
  readonly components: v.InferOutput<typeof components>;
  readonly deploymentPolicies?: v.InferOutput<typeof policies>;
  readonly iotJobConfiguration?: v.InferOutput<typeof jobConfiguration>;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

import * as v from "valibot";
import { iotArn } from "../arns.ts";
import { integer, page } from "../members.ts";
import { AwsError, rest } from "../operation.ts";

const status = v.picklist([
  "QUEUED",
  "IN_PROGRESS",
  "SUCCEEDED",
  "FAILED",
  "TIMED_OUT",
  "REJECTED",
  "CANCELED",
]);

/**
 * The jobs that carry out deployments, as IoT lists them
 * (https://docs.aws.amazon.com/iot/latest/apireference/API_ListJobExecutionsForJob.html).
 */
export const jobExecutionOperations = [
  rest(
    "iot",
    "ListJobExecutionsForJob",
    "GET /jobs/{jobId}/things",
    {
      jobId: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/)),
      status: v.optional(status),
      maxResults: v.optional(v.pipe(integer, v.minValue(1), v.maxValue(250))),
      nextToken: v.optional(v.string()),
    },
    ({ region }, input) => {
      const deployment = [...region.deployments.values()].find(({ job }) => job === input.jobId);
      if (deployment === undefined) {
        throw new AwsError(404, "ResourceNotFoundException", `Job ${input.jobId} does not exist`);
      }
      const all = region.executions
        .rightOf(deployment.id)
        .map((core) => ({ core, execution: region.executions.getPair(deployment.id, core)! }))
        .filter(({ execution }) => input.status === undefined || execution.status === input.status);
      const { entries, next } = page(all, input.maxResults, input.nextToken);
      const executionSummaries = entries.map(({ core, execution }) => ({
        thingArn: iotArn(region, `thing/${core}`),
        jobExecutionSummary: {
          status: execution.status,
          queuedAt: execution.createdAt,
          lastUpdatedAt: execution.modifiedAt,
          executionNumber: 1,
        },
      }));
      return { executionSummaries, nextToken: next };
    },
  ),
];

import * as v from "valibot";
import type { Deployment, Execution, Region } from "../account.ts";
import { endIfFailed } from "../greengrass/queueing.ts";
import { isTerminal, jobExecution, nextJob, pendingJobs, summaryOf } from "../greengrass/jobs.ts";
import { objectIn, tokenOf, type Message, type Outcome } from "./messages.ts";

/** The namespace that Greengrass keeps its jobs in, apart from a customer's own. */
export const NAMESPACE = "namespace-aws-gg-deployment";

/**
 * What a device says of a job (https://docs.aws.amazon.com/iot/latest/developerguide/jobs-mqtt-api.html,
 * UpdateJobExecution).
 */
const update = v.object({
  status: v.picklist(["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"]),
  statusDetails: v.optional(v.record(v.string(), v.string())),
  expectedVersion: v.optional(v.union([v.number(), v.pipe(v.string(), v.transform(Number))])),
  executionNumber: v.optional(v.number()),
  includeJobExecutionState: v.optional(v.boolean(), false),
  includeJobDocument: v.optional(v.boolean(), false),
});

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly executionState?: object;
}

/**
 * IoT Jobs over MQTT, as far as Greengrass uses it: GetPendingJobExecutions, DescribeJobExecution (of a job, or of the
 * next one) and UpdateJobExecution, in Greengrass' namespace. There are no jobs outside of it here. Undefined where
 * the topic is none of jobs.
 */
export function takeJobMessage(
  region: Region,
  thing: string,
  topic: string,
  { topic: whole, text, now }: Message,
): Outcome | undefined {
  const [, , job, space, verb] =
    /^jobs(\/(?!namespace-)([^/]+))?(?:\/(namespace-[^/]+))?\/(get|update)$/.exec(topic) ?? [];
  if (verb === undefined) {
    return undefined;
  }
  const said = objectIn(text);
  const stamp = { ...tokenOf(said), timestamp: Math.floor(now) };
  const accepted = (document: object, changed = false): Outcome => ({
    answers: [{ topic: `${whole}/accepted`, document: { ...stamp, ...document } }],
    changed,
  });
  const rejected = (refusal: Refusal): Outcome => ({
    answers: [{ topic: `${whole}/rejected`, document: { ...stamp, ...refusal } }],
  });
  if (said === undefined) {
    return rejected({ code: "InvalidJson", message: "The message is not a JSON object" });
  }
  const isOurs = space === NAMESPACE;
  if (job === undefined) {
    return accepted(isOurs ? pendingLists(region, thing) : { inProgressJobs: [], queuedJobs: [] });
  }
  if (verb === "get" && job === "$next") {
    const next = isOurs ? nextJob(region, thing) : undefined;
    return accepted(next === undefined ? {} : { execution: jobExecution(region, next) });
  }
  const found = isOurs ? executionOf(region, thing, job) : undefined;
  if (found === undefined) {
    return rejected({ code: "ResourceNotFound", message: `Thing ${thing} has no job ${job}` });
  }
  if (verb === "get") {
    return accepted({
      execution: jobExecution(region, found, { document: said.includeJobDocument !== false }),
    });
  }
  const request = v.safeParse(update, said);
  if (!request.success) {
    return rejected({ code: "InvalidRequest", message: request.issues[0].message });
  }
  const refusal = refusalOf(found.execution, request.output.expectedVersion);
  if (refusal !== undefined) {
    return rejected(refusal);
  }
  applyUpdate(region.executions.changePair(found.deployment.id, thing), request.output, now);
  endIfFailed(region, found.deployment, now);
  return accepted(
    {
      ...(request.output.includeJobExecutionState ? { executionState: stateOf(found.execution) } : {}),
      ...(request.output.includeJobDocument
        ? { jobDocument: (jobExecution(region, found) as { jobDocument: object }).jobDocument }
        : {}),
    },
    true,
  );
}

function executionOf(
  region: Region,
  core: string,
  job: string,
): { deployment: Deployment; execution: Execution } | undefined {
  const deployment = [...region.deployments.values()].find((one) => one.job === job);
  const execution = region.executions.getPair(deployment?.id ?? "", core);
  return deployment === undefined || execution === undefined ? undefined : { deployment, execution };
}

function pendingLists(region: Region, thing: string): object {
  const pending = pendingJobs(region, thing);
  const of = (wanted: string): object[] =>
    pending.filter(({ execution }) => execution.status === wanted).map(summaryOf);
  return { inProgressJobs: of("IN_PROGRESS"), queuedJobs: of("QUEUED") };
}

type Draft = ReturnType<Region["executions"]["changePair"]>;

function stateOf({ status, version, details }: Execution): object {
  return { status, versionNumber: version, statusDetails: details };
}

/** Why an update is not taken: the two codes that a core acts on are AWS's. */
function refusalOf(execution: Execution, expected: number | undefined): Refusal | undefined {
  if (isTerminal(execution)) {
    return {
      code: "TerminalStateReached",
      message: `The job execution is ${execution.status}, which is final`,
      executionState: stateOf(execution),
    };
  }
  if (expected !== undefined && expected !== execution.version) {
    return {
      code: "VersionMismatch",
      message: `The job execution has version ${execution.version}, not ${expected}`,
      executionState: stateOf(execution),
    };
  }
  return undefined;
}

function applyUpdate(draft: Draft, said: v.InferOutput<typeof update>, now: number): void {
  const { status, statusDetails } = said;
  const details = statusDetails ?? draft.details;
  const reason = details["deployment-failure-cause"] ?? details["detailed-deployment-status"];
  Object.assign(draft, {
    status,
    details,
    version: draft.version + 1,
    modifiedAt: now,
    errors: listIn(details["deployment-error-stack"]),
    errorTypes: listIn(details["deployment-error-types"]),
    ...(reason === undefined ? {} : { reason }),
  });
}

/** A list in a detail is JSON text (aws-greengrass-nucleus, IotJobsHelper.buildJobStatusDetails). */
function listIn(text: string | undefined): string[] {
  try {
    const parsed = v.safeParse(v.array(v.string()), JSON.parse(text ?? "[]"));
    return parsed.success ? parsed.output : [];
  } catch {
    return text === undefined ? [] : [text];
  }
}

import { randomUUID } from "node:crypto";
import type { AccountFile } from "./account-file.ts";
import { greengrassOperations } from "./greengrass/index.ts";
import { iamOperations } from "./iam/index.ts";
import { iotOperations } from "./iot/index.ts";
import { AwsError, notImplemented, type Operation } from "./operation.ts";
import type { Answer, Request } from "./protocol.ts";
import { formInput, queryAnswer, queryError } from "./query-xml.ts";
import { findRestOperation, restAnswer, restError, restInput } from "./rest-json.ts";
import type { Throttle } from "./throttle.ts";
import { stsOperations } from "./sts.ts";

const REST = { iot: iotOperations, greengrass: greengrassOperations };
const QUERY = { iam: iamOperations, sts: stsOperations };

/**
 * Service and region of a request, from `Credential=KEY/DATE/REGION/SERVICE/aws4_request`. The signature is
 * not checked.
 */
export function scopeOf(request: Pick<Request, "headers">): { region?: string; service?: string } {
  const match = /Credential=[^/]*\/\d+\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request/.exec(
    request.headers.authorization ?? "",
  );
  return match?.[1] === undefined || match[2] === undefined ? {} : { region: match[1], service: match[2] };
}

/**
 * Answers one request in AWS's wire format. What it changed is on disk before it returns, and so is
 * everything that it may have seen. Never throws: each failure is an AWS error, an operation that is not
 * modelled a 501 that names it.
 */
export async function answer(
  file: AccountFile,
  request: Request,
  defaultRegion: string,
  throttle?: Throttle,
): Promise<Answer> {
  const scope = scopeOf(request);
  const region = scope.region ?? defaultRegion;
  const service = scope.service ?? guessedService(request);
  if (service === "iam" || service === "sts") {
    return await answerQuery(file, request, service, region);
  }
  try {
    if (service !== "iot" && service !== "greengrass") {
      throw notImplemented(`${service} ${request.method} ${request.path}`);
    }
    const found = findRestOperation(REST[service], request);
    if (found === undefined) {
      throw notImplemented(`${service} ${request.method} ${request.path}`);
    }
    throttle?.(region, found.operation.name);
    const output = await carriedOut(file, found.operation, restInput(request, found.labels), region);
    return restAnswer(output, found.operation);
  } catch (error) {
    return restError(asAwsError(error));
  }
}

async function answerQuery(
  file: AccountFile,
  request: Request,
  service: "iam" | "sts",
  region: string,
): Promise<Answer> {
  const requestId = randomUUID();
  const form = new URLSearchParams(request.body);
  const action = form.get("Action") ?? "";
  try {
    const operation = QUERY[service].find(({ name }) => name === action);
    if (operation === undefined) {
      throw notImplemented(`${service} ${action}`);
    }
    return queryAnswer(
      service,
      action,
      requestId,
      await carriedOut(file, operation, formInput(form), region),
    );
  } catch (error) {
    return queryError(service, requestId, asAwsError(error));
  }
}

/**
 * For a caller that signs nothing: only Query services are posted to "/", and Greengrass has its own prefix.
 */
function guessedService(request: Request): string {
  if (request.path === "/") {
    return new URLSearchParams(request.body).get("Action") === "GetCallerIdentity" ? "sts" : "iam";
  }
  return request.path.startsWith("/greengrass/") ? "greengrass" : "iot";
}

async function carriedOut(
  file: AccountFile,
  operation: Operation,
  input: unknown,
  region: string,
): Promise<unknown> {
  const { account } = file;
  const output: unknown = await operation.run(
    { account, region: account.region(region), objects: file.objects, now: Date.now() / 1000 },
    input,
  );
  await (/^(Get|List|Describe)/.test(operation.name) ? file.settled() : file.save());
  return output;
}

function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) {
    return error;
  }
  return new AwsError(
    500,
    "InternalFailure",
    `The sandbox failed: ${error instanceof Error ? error.message : String(error)}`,
  );
}

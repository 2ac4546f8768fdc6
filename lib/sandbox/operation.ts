import * as v from "valibot";
import type { Account, Region } from "./account.ts";
import type { ObjectStore } from "./objects.ts";

/** The AWS services that the sandbox models, by their names in a SigV4 credential scope. */
export type Service = "iot" | "iam" | "sts" | "greengrass";

/**
 * What an operation works on: the account, the region that the caller named, and the time (seconds since
 * 1970).
 */
export interface Call {
  readonly account: Account;
  readonly region: Region;
  readonly objects: ObjectStore;
  readonly now: number;
}

/**
 * One operation of one service. `input` names every member that the sandbox knows: another one is refused,
 * never ignored. `run` checks everything before it changes anything, so that an error leaves the account as
 * it was.
 */
export interface Operation {
  readonly service: Service;
  /** AWS's name. Operations named Get…, List… and Describe… change nothing. */
  readonly name: string;
  /**
   * Method and path, and the status where it is not 200: "DELETE /greengrass/v2/components/{arn} 204". An operation
   * of the Query protocol has none.
   */
  readonly http?: string;
  readonly run: (call: Call, input: unknown) => unknown;
}

/** An error in AWS's own terms. */
export class AwsError extends Error {
  readonly status: number;
  readonly code: string;
  /** Further members of the error's body. */
  readonly detail: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, detail: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

/** An operation of a REST service (IoT, Greengrass). */
export function rest<S extends v.ObjectEntries>(
  service: "iot" | "greengrass",
  name: string,
  http: string,
  input: S,
  run: (call: Call, input: v.InferOutput<v.StrictObjectSchema<S, undefined>>) => unknown,
): Operation {
  return { service, name, http, run: checked(service, name, input, run) };
}

/** An operation of a Query service (IAM, STS). */
export function query<S extends v.ObjectEntries>(
  service: "iam" | "sts",
  name: string,
  input: S,
  run: (call: Call, input: v.InferOutput<v.StrictObjectSchema<S, undefined>>) => unknown,
): Operation {
  return { service, name, run: checked(service, name, input, run) };
}

const INVALID: Record<Service, string> = {
  iot: "InvalidRequestException",
  greengrass: "ValidationException",
  iam: "ValidationError",
  sts: "ValidationError",
};

function checked<S extends v.ObjectEntries>(
  service: Service,
  name: string,
  entries: S,
  run: (call: Call, input: v.InferOutput<v.StrictObjectSchema<S, undefined>>) => unknown,
): Operation["run"] {
  const schema = v.strictObject(entries);
  return (call, input) => {
    const result = v.safeParse(schema, input);
    if (result.success) {
      return run(call, result.output);
    }
    const [issue] = result.issues;
    const path = v.getDotPath(issue) ?? "input";
    if (issue.type === "strict_object" && issue.expected === "never") {
      throw notImplemented(`${service} ${name} with ${path}`);
    }
    throw new AwsError(400, INVALID[service], `${path}: ${issue.message}`);
  };
}

/** What the sandbox has no model of. */
export function notImplemented(what: string): AwsError {
  return new AwsError(501, "NotImplemented", `The sandbox does not know ${what}`);
}

import { proxyOf } from "../http/proxy.ts";
import { ProblemError, shown } from "../problem/index.ts";
import { eventually, isNotYet } from "./eventually.ts";
import { LostAnswer } from "./lost-answer.ts";

/** What was asked of AWS, for the message when it fails: an action as IAM names it, and the resource. */
export interface AwsCall {
  /** e.g. "iot:DescribeThing" */
  readonly action: string;
  readonly resource: string;
}

/**
 * The answer of one call.
 * @throws ProblemError with the action, the resource, and AWS's error; exit 4 where credentials or rights are
 * missing, else 1; LostAnswer of a command that is not sent twice.
 */
export async function call<T>(operation: AwsCall, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw error instanceof LostAnswer ? error : problemOf(operation, error);
  }
}

/** The answer of one call, or undefined where the resource does not exist. Throws as call() does. */
export async function lookUp<T>(operation: AwsCall, send: () => Promise<T>): Promise<T | undefined> {
  try {
    return await send();
  } catch (error) {
    if (statusOf(error) === 404) {
      return undefined;
    }
    throw problemOf(operation, error);
  }
}

/**
 * The answer of a deletion: asked again while AWS has not seen yet that everything was detached before. Throws as
 * call() does.
 */
export async function deletion<T>(operation: AwsCall, send: () => Promise<T>): Promise<T> {
  return await call(operation, () =>
    eventually(send, (error) => error instanceof Error && isNotYet(`${error.name} ${error.message}`)),
  );
}

/** Errors that no second run cures: a person must log in, or be given a right. */
const NEEDS_PERSON = [
  "AccessDenied",
  "AccessDeniedException",
  "UnauthorizedException",
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidClientTokenId",
  "UnrecognizedClientException",
  "SignatureDoesNotMatch",
  "CredentialsProviderError",
  "TokenProviderError",
  "OptInRequired",
];

const NO_CREDENTIALS = "no credentials were found: set AWS_PROFILE, or log in with aws sso login";

function problemOf({ action, resource }: AwsCall, error: unknown): ProblemError {
  const name = error instanceof Error ? error.name : "Error";
  const message = error instanceof Error ? error.message : String(error);
  const needsPerson = NEEDS_PERSON.includes(name);
  const fix = needsPerson ? rightsFix(name, action) : networkFix(error, action);
  return new ProblemError([
    {
      code: needsPerson ? "DP611" : "DP610",
      what: `${action} of ${shown(resource)} failed: ${name}`,
      why: message,
      ...(fix === undefined ? {} : { fix }),
    },
  ]);
}

function rightsFix(name: string, action: string): string {
  return name.endsWith("ProviderError")
    ? NO_CREDENTIALS
    : `log in to the account anew, or let its administrator allow ${action}`;
}

/** What Node calls a name or a connection that is not to be had (`man 3 errno`, `man 3 getaddrinfo`). */
const NO_CONNECTION =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|TimeoutError)$/;

function networkFix(error: unknown, action: string): string | undefined {
  const { code, name, message } = error as { code?: string; name?: string; message?: string };
  if (!NO_CONNECTION.test(code ?? name ?? "") && !/\bproxy\b|HTTPS_PROXY/.test(message ?? "")) {
    return undefined;
  }
  const proxy = proxyOf(`https://${action.split(":")[0]!}.amazonaws.com`);
  return proxy === undefined
    ? "see that this computer reaches AWS; where the way is a proxy, set HTTPS_PROXY"
    : `see that the proxy ${proxy} is right (HTTPS_PROXY, NO_PROXY) and lets AWS through`;
}

/** The HTTP status that the SDK keeps with an answer of AWS, an error included. */
function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) {
    return undefined;
  }
  const metadata = error.$metadata;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) {
    return undefined;
  }
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}

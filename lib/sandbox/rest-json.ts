import type { IncomingHttpHeaders } from "node:http";
import { AwsError, type Operation } from "./operation.ts";
import type { Answer, Request } from "./protocol.ts";

/** The operation of a REST request and the values of its path's labels, or undefined. */
export function findRestOperation(
  operations: readonly Operation[],
  request: Request,
): { operation: Operation; labels: Record<string, string> } | undefined {
  const parts = request.path.split("/");
  for (const operation of operations) {
    const [method, template] = operation.http?.split(" ") ?? [];
    if (method !== request.method || template === undefined) {
      continue;
    }
    const labels = matched(template.split("/"), parts);
    if (labels !== undefined) {
      return { operation, labels };
    }
  }
  return undefined;
}

function matched(template: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (template.length !== parts.length) {
    return undefined;
  }
  const labels: Record<string, string> = {};
  for (const [i, expected] of template.entries()) {
    const part = parts[i]!;
    if (expected.startsWith("{")) {
      labels[expected.slice(1, -1)] = decoded(part);
    } else if (expected !== part) {
      return undefined;
    }
  }
  return labels;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new AwsError(400, "InvalidRequestException", `${part} is not percent-encoded UTF-8`);
  }
}

/**
 * The members of a REST request: from its body, its query string, the one header that IoT uses, and its path.
 */
export function restInput(request: Request, labels: Record<string, string>): Record<string, unknown> {
  return {
    ...bodyMembers(request.body),
    ...Object.fromEntries(request.query),
    ...headerMembers(request.headers),
    ...labels,
  };
}

function bodyMembers(body: string): object {
  if (body === "") {
    return {};
  }
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
      return parsed;
    }
  } catch {
    // said below, together with JSON that is no object
  }
  throw new AwsError(400, "SerializationException", "The body is not a JSON object");
}

function headerMembers(headers: IncomingHttpHeaders): Record<string, string> {
  const principal = headers["x-amzn-principal"];
  return typeof principal === "string" ? { principal } : {};
}

/** A result in the restJson1 protocol. An operation without a result answers with an empty body. */
export function restAnswer(output: unknown, { http = "" }: Operation): Answer {
  const body = output === undefined ? "" : JSON.stringify(output);
  const [, , status = "200"] = http.split(" ");
  return { status: Number(status), headers: { "content-type": "application/json" }, body };
}

/** An error in the restJson1 protocol: its name in a header, its message in the body. */
export function restError(error: AwsError): Answer {
  return {
    status: error.status,
    headers: { "content-type": "application/json", "x-amzn-errortype": error.code },
    body: JSON.stringify({ message: error.message, ...error.detail }),
  };
}

import type { IncomingMessage, ServerResponse } from "node:http";
import type { ObjectStore } from "./objects.ts";

/**
 * As much of S3 as artifacts need: objects are put, read and deleted by path-style addresses
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html). Buckets are there when they are asked for.
 */
export async function answerS3(
  objects: ObjectStore,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = "/"] = (request.url ?? "/").split("?");
  const name = decodeURIComponent(path).replace(/^\//, "");
  const isObject = /^[^/]+\/.+/.test(name);
  const method = request.method ?? "GET";
  if (request.headers["content-encoding"]?.includes("aws-chunked") === true) {
    refuse(response, 501, "NotImplemented", "The sandbox does not take aws-chunked bodies");
    return;
  }
  if (!isObject) {
    request.resume();
    if (method === "HEAD" || method === "PUT") {
      return void response.writeHead(200).end();
    }
    refuse(response, 501, "NotImplemented", `The sandbox does not know s3 ${method} ${path}`);
    return;
  }
  if (method === "PUT") {
    const { etag } = await objects.put(name, request);
    return void response.writeHead(200, { etag }).end();
  }
  request.resume();
  if (method === "DELETE") {
    objects.remove(name);
    return void response.writeHead(204).end();
  }
  if (method !== "GET" && method !== "HEAD") {
    refuse(response, 501, "NotImplemented", `The sandbox does not know s3 ${method} ${path}`);
    return;
  }
  if (!objects.has(name)) {
    refuse(response, 404, "NoSuchKey", "The specified key does not exist.");
    return;
  }
  sendObject(objects, name, method === "HEAD", response);
}

export function sendObject(
  objects: ObjectStore,
  name: string,
  headOnly: boolean,
  response: ServerResponse,
): void {
  response.writeHead(200, {
    "content-length": objects.bytes(name),
    "content-type": "application/octet-stream",
  });
  if (headOnly) {
    response.end();
  } else {
    objects.read(name).pipe(response);
  }
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml" }).end(text);
}

import type { IncomingHttpHeaders } from "node:http";

/** A request, read whole. `path` is still percent-encoded: an encoded slash is part of a name. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

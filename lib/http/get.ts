import { once } from "node:events";
import { get as getPlain, type IncomingMessage } from "node:http";
import { get as getOverTls } from "node:https";
import { httpsAgent } from "./proxy.ts";

/** As RFC 9110, 15.4 advises against endless ones. */
const REDIRECTS = 5;

export interface GetOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * The answer to a GET, its body still to be read; redirects are followed, from HTTPS to HTTPS only. HTTPS goes through
 * the proxy that the environment names. Rejects where nobody can be reached.
 */
export async function get(url: string, { headers, signal }: GetOptions): Promise<IncomingMessage> {
  const agent = httpsAgent();
  let at = new URL(url);
  for (let redirects = 0; ; redirects++) {
    const isTls = at.protocol === "https:";
    const request = isTls
      ? getOverTls(at, { headers, signal, agent })
      : getPlain(at, { headers, signal, agent: false });
    // What breaks after the response has begun is told by the response.
    request.on("error", () => {});
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const { statusCode = 0, headers: told } = response;
    if (![301, 302, 303, 307, 308].includes(statusCode) || told.location === undefined) {
      response.once("close", () => agent.destroy());
      return response;
    }
    response.destroy();
    const next = new URL(told.location, at);
    if (isTls && next.protocol !== "https:") {
      throw new Error(`${at.host} redirects to a URL without TLS`);
    }
    if (redirects === REDIRECTS) {
      throw new Error(`${at.host} redirects too often`);
    }
    at = next;
  }
}

import type { Agent, ClientRequest } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { Agent as BaseAgent, type AgentConnectOpts } from "agent-base";
import { HttpsProxyAgent } from "https-proxy-agent";
import { getProxyForUrl } from "proxy-from-env";

/** As the AWS SDK's own agent (AWS SDK for JavaScript, "Reusing connections with keep-alive"). */
const KEEP = { keepAlive: true, maxSockets: 50 };

/**
 * The agent for HTTPS requests: through the proxy that the environment names, which may differ from host to host.
 * HTTPS_PROXY, ALL_PROXY and NO_PROXY count in either case, as curl(1) has them. The proxy is an http or https URL,
 * with credentials if need be.
 */
export function httpsAgent(): Agent {
  return Object.keys(process.env).some((name) => /^(https|all)_proxy$/i.test(name))
    ? new ByEnvironment(KEEP)
    : new TlsAgent(KEEP);
}

/** The proxy for a URL without its credentials, e.g. `http://proxy.example:3128`; undefined for none. */
export function proxyOf(url: string): string | undefined {
  const proxy = getProxyForUrl(url);
  if (proxy === "") {
    return undefined;
  }
  return URL.canParse(proxy) && /^https?:/.test(proxy) ? new URL(proxy).origin : "that HTTPS_PROXY names";
}

/** Leaves each connection to an agent of its kind. */
class ByEnvironment extends BaseAgent {
  readonly #direct = new TlsAgent(KEEP);
  readonly #through = new Map<string, Agent>();

  override connect(request: ClientRequest, { host, port }: AgentConnectOpts): Agent {
    const url = `https://${host ?? request.host}:${port}`;
    const proxy = getProxyForUrl(url);
    if (proxy === "") {
      return this.#direct;
    }
    if (!/^https?:/.test(proxy) || !URL.canParse(proxy)) {
      throw new Error("HTTPS_PROXY (or ALL_PROXY) is not an http:// or https:// URL");
    }
    request.once("proxyConnect", ({ statusCode, statusText }: ProxyAnswer) => {
      // Else the proxy's own page would be taken for an answer of AWS.
      if (statusCode !== 200) {
        request.destroy(new Error(`the proxy ${proxyOf(url)} answered ${statusCode} ${statusText}`));
      }
    });
    const agent = this.#through.get(proxy) ?? new HttpsProxyAgent(proxy, KEEP);
    this.#through.set(proxy, agent);
    return agent;
  }

  override destroy(): void {
    this.#direct.destroy();
    this.#through.forEach((agent) => agent.destroy());
    super.destroy();
  }
}

interface ProxyAnswer {
  readonly statusCode: number;
  readonly statusText: string;
}

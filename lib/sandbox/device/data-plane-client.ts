import { createHash } from "node:crypto";
import { request } from "node:https";
import * as v from "valibot";
import { greengrassHost } from "../../aws/hosts.ts";
import type { Address } from "../account.ts";
import { sentAddress } from "../greengrass/connectivity.ts";
import { recipeIn, type Recipe } from "../greengrass/recipes.ts";
import type { CoreBundle } from "./bundle.ts";
import { gate } from "./gate.ts";

/** What a core asks of Greengrass' data plane, over HTTPS with the certificate of its bundle. */
export interface DataPlaneClient {
  /** The newest version of a component that meets all requirements; what the account says where there is none. */
  resolve: (
    name: string,
    requirements: Readonly<Record<string, string>>,
  ) => Promise<{ readonly recipe: Recipe; readonly arn: string } | string>;
  /** The SHA-256 of what an artifact's URL gives, in base64. */
  artifactDigest: (arn: string, name: string) => Promise<string>;
  updateConnectivity: (core: string, addresses: readonly Address[]) => Promise<void>;
}

const resolved = v.object({
  resolvedComponentVersions: v.tuple([v.object({ arn: v.string(), recipe: v.string() })]),
});
const signed = v.object({ preSignedUrl: v.string() });
const failed = v.object({ message: v.string() });

const NOT_FOUND = 404;

/**
 * All simulated cores live in one process, with the server that answers them: what a thousand ask at the same moment
 * would not be answered in time.
 */
const oneOfFew = gate(16);

interface Answer {
  readonly status: number;
  readonly said: unknown;
}

export function dataPlaneClient(bundle: CoreBundle, port: number, region: string): DataPlaneClient {
  const ask = (method: string, path: string, body?: object): Promise<Answer> =>
    oneOfFew(() => askNow(method, path, body));
  const askNow = async (method: string, path: string, body?: object): Promise<Answer> => {
    const text = body === undefined ? "" : JSON.stringify(body);
    return await new Promise((resolve, reject) => {
      const asked = request(
        {
          host: "127.0.0.1",
          port,
          method,
          path,
          agent: false,
          timeout: 10_000,
          cert: bundle.certificate,
          key: bundle.key,
          ca: bundle.rootCa,
          servername: greengrassHost(region),
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text) },
        },
        (response) => {
          let answer = "";
          response
            .setEncoding("utf8")
            .on("data", (piece: string) => (answer += piece))
            .on("end", () => resolve({ status: response.statusCode ?? 0, said: parsed(answer) }))
            .on("error", reject);
        },
      );
      asked.on("timeout", () => asked.destroy(new Error(`${path} was not answered`)));
      asked.on("error", reject);
      asked.end(text);
    });
  };
  const must = (what: string, { status, said }: Answer): unknown => {
    if (status !== 200) {
      const message = v.safeParse(failed, said);
      throw new Error(`${what}: ${status} ${message.success ? message.output.message : ""}`.trim());
    }
    return said;
  };
  return {
    resolve: async (componentName, versionRequirements) => {
      const answer = await ask("POST", "/greengrass/v2/resolveComponentCandidates", {
        componentCandidates: [{ componentName, versionRequirements }],
        platform: { name: "linux", attributes: { os: "linux", architecture: architecture() } },
      });
      if (answer.status === NOT_FOUND) {
        return v.parse(failed, answer.said).message;
      }
      const {
        resolvedComponentVersions: [{ arn, recipe }],
      } = v.parse(resolved, must("greengrass:ResolveComponentCandidates", answer));
      return { arn, recipe: recipeIn(Buffer.from(recipe, "base64").toString("utf8")) };
    },
    artifactDigest: async (arn, name) => {
      const path = `/greengrass/v2/components/${encodeURIComponent(arn)}/artifacts/${encodeURIComponent(name)}`;
      const { preSignedUrl } = v.parse(
        signed,
        must("greengrass:GetComponentVersionArtifact", await ask("GET", path)),
      );
      const response = await fetch(preSignedUrl);
      return createHash("sha256")
        .update(Buffer.from(await response.arrayBuffer()))
        .digest("base64");
    },
    updateConnectivity: async (core, addresses) => {
      const ConnectivityInfo = addresses.map(sentAddress);
      const path = `/greengrass/things/${encodeURIComponent(core)}/connectivityInfo`;
      must("greengrass:UpdateConnectivityInfo", await ask("PUT", path, { ConnectivityInfo }));
    },
  };
}

/** As a nucleus names it. */
export function architecture(): string {
  return process.arch === "arm64" ? "aarch64" : "amd64";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

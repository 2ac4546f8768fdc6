import { existsSync } from "node:fs";
import { join } from "node:path";
import { kitFolder } from "../layout.ts";
import { execa } from "execa";
import * as v from "valibot";
import { coreAddresses } from "../aws/device-state.ts";
import { isAssociated } from "../aws/client-device.ts";
import type { ThingSettings } from "../settings/index.ts";
import { broken, ok, type Cause, type Link } from "./chain.ts";
import type { CheckContext } from "./core-links.ts";
import { identityCause } from "./device-cause.ts";

/** What the kit's talk.mjs tells with --json. */
const log = v.object({
  ok: v.boolean(),
  stage: v.picklist(["kit", "discover", "connect", "subscribe", "publish", "receive"]),
  what: v.optional(v.string(), ""),
  fix: v.optional(v.string(), ""),
  address: v.optional(v.string(), ""),
  ms: v.optional(v.number(), 0),
  addresses: v.optional(v.array(v.object({ host: v.string(), metadata: v.string() })), []),
  tried: v.optional(v.array(v.object({ where: v.string(), code: v.string() })), []),
});
type Told = v.InferOutput<typeof log>;

/** The two links of a thing, seen by its own kit with its own certificate. */
export async function thingLinks(context: CheckContext, { name, core }: ThingSettings): Promise<Link[]> {
  const [discovers, receives] = ["thing discovers its core", "message received"] as const;
  const folder = join(context.root, kitFolder(name));
  if (!existsSync(join(folder, "talk.mjs"))) {
    return [
      broken(discovers, `there is no kit of ${name}`, {
        cause: "it was not built",
        fix: "dospesos build thing-kit",
      }),
    ];
  }
  const said = await askKit(folder, context.signal);
  if (said.stage === "kit" || said.stage === "discover") {
    return [
      broken(
        discovers,
        said.what,
        (await discoveryCause(context, folder, name, core)) ?? {
          cause: "the network, or the kit itself",
          fix: said.fix,
        },
      ),
    ];
  }
  const unusable = unreachable(said, context.account.endpoint !== undefined);
  if (unusable !== undefined) {
    return [broken(discovers, said.what, unusable)];
  }
  const found = ok(discovers, `${said.addresses.length} address${said.addresses.length === 1 ? "" : "es"}`);
  if (said.ok) {
    return [found, ok(receives, `${said.ms.toFixed(1)} ms through ${said.address}`)];
  }
  const cause = CAUSES[said.stage] ?? "the core's device groups do not allow it";
  return [
    found,
    broken(receives, said.what, { cause, fix: `${said.fix}; dospesos deploy brings the rights` }),
  ];
}

/** Why a stage of the kit's talk with its core fails. */
const CAUSES: Readonly<Record<string, string | undefined>> = {
  connect: "the core does not let it connect",
  receive: "the core took the message and did not give it back",
};

async function askKit(folder: string, signal: AbortSignal): Promise<Told> {
  const { stdout } = await execa(process.execPath, [join(folder, "talk.mjs"), "prove", "--json"], {
    reject: false,
    timeout: 90_000,
    stdin: "ignore",
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  try {
    return v.parse(log, JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
  } catch {
    return {
      ok: false,
      stage: "kit",
      what: "the kit did not run to its end",
      fix: `node ${folder}/talk.mjs prove`,
      address: "",
      ms: 0,
      addresses: [],
      tried: [],
    };
  }
}

async function discoveryCause(
  { account }: CheckContext,
  folder: string,
  name: string,
  core: string,
): Promise<Cause | undefined> {
  const { access, id } = account;
  const identity = await identityCause(access, id, folder, name, [
    { action: "greengrass:Discover", resource: `thing/${name}` },
  ]);
  if (identity !== undefined) {
    return identity;
  }
  if (!(await isAssociated(access, core, name))) {
    return {
      cause: `${name} is not associated with ${core}`,
      fix:
        "aws greengrassv2 batch-associate-client-device-with-core-device --region " +
        `${access.region} --core-device-thing-name ${core} --entries thingName=${name}`,
    };
  }
  if ((await coreAddresses(access, core)).length === 0) {
    return {
      cause: `${core} has reported no address`,
      fix: "deploy aws.greengrass.clientdevices.IPDetector (dospesos deploy), or set one: aws greengrassv2 update-connectivity-info",
    };
  }
  return undefined;
}

/**
 * Docker's bridge and the loopback interface are the same on every machine: nobody else gets to a core by
 * them.
 */
function unreachable({ stage, addresses, tried }: Told, isSandbox: boolean): Cause | undefined {
  if (
    stage !== "connect" ||
    tried.some(
      ({ code }) =>
        !/^(ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL)$/.test(code),
    )
  ) {
    return undefined;
  }
  const isLocal = ({ host, metadata }: { host: string; metadata: string }): boolean =>
    /^172\.17\.|^169\.254\./.test(host) ||
    /docker/i.test(metadata) ||
    (!isSandbox && /^127\.|^::1$|^localhost$/.test(host));
  const fix =
    "set the core's address: aws greengrassv2 update-connectivity-info, or a network that the thing shares with the core";
  if (addresses.length > 0 && addresses.every(isLocal)) {
    return {
      cause: `the core reports only addresses of its own machine (docker0 or loopback): ${addresses.map(({ host }) => host).join(", ")}`,
      fix,
    };
  }
  return { cause: "this machine is in another network than the core, or a firewall is between them", fix };
}

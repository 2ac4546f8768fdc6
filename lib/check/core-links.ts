import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { archiveOf, bundleFolder } from "../layout.ts";
import { markerFile } from "../account/account-effect.ts";
import type { Account } from "../account/account.ts";
import { connectivityOf, coreDevice, effectiveDeployment, faultyComponents } from "../aws/device-state.ts";
import type { CoreSettings } from "../settings/index.ts";
import { broken, inOrder, ok, unchecked, type Cause, type Link } from "./chain.ts";
import { coreRights, endpointCause, identityCause } from "./device-cause.ts";
import { fightCause, observedCause } from "./sandbox-cause.ts";
import { serviceOver, type Service } from "./service.ts";

export interface CheckContext {
  readonly root: string;
  readonly account: Account;
  readonly signal: AbortSignal;
}

/** A nucleus reports at least once a day (Greengrass V2 Developer Guide, "Check core device status"). */
const FRESH_HOURS = 25;
/** TLS needs the clock only to be within the certificates' time; AWS's signatures allow five minutes. */
const CLOCK_SECONDS = 300;

/** The links of a core, up to the first that is broken. */
export async function coreLinks(context: CheckContext, core: CoreSettings): Promise<Link[]> {
  const { access } = context.account;
  const { name, host } = core;
  let service: Service | undefined;
  const isLite = core.runtime === "lite";
  const isSimulated = context.account.endpoint !== undefined && core.sandbox === "simulated";
  const simulated = isSimulated ? ", simulated" : "";
  return await inOrder([
    async () => {
      const link = "service active";
      if (host === "") {
        return unchecked(link, "no host is set", `[core ${name}] host = where ssh reaches the device`);
      }
      service = await serviceOver({ host, signal: context.signal }, core.runtime);
      if (!service.reached) {
        return unchecked(link, service.why, `ssh ${host} must work without a password`);
      }
      if (service.state === "active") {
        return ok(link, `${isLite ? "nucleus lite" : "greengrass"} is active on ${host}`);
      }
      const cause =
        service.state === "inactive" || service.state === "failed"
          ? `the service is ${service.state}`
          : "the installer has not run on this device, or was removed";
      return broken(link, `greengrass is ${service.state} on ${host}`, {
        cause,
        fix:
          `ssh ${host} sudo journalctl ${isLite ? "-t iotcored" : "-u greengrass"} -n 50; install: dospesos build ` +
          `edge-installer and bring ${archiveOf(bundleFolder(name))} to the device`,
      });
    },
    async () => {
      const link = "MQTT connected";
      const connectivity = await connectivityOf(access, name);
      const device = await coreDevice(access, name);
      if (typeof connectivity === "string" && device !== undefined && hoursSince(device.at) < FRESH_HOURS) {
        return unchecked(
          link,
          "cannot be seen: fleet indexing of connectivity is off; its last report is fresh",
          "aws iot update-indexing-configuration --thing-indexing-configuration " +
            "thingIndexingMode=REGISTRY,thingConnectivityIndexingMode=STATUS (AWS charges for it)",
        );
      }
      if (typeof connectivity === "object" && connectivity.connected && device !== undefined) {
        const fight = await fightCause(context.account, name);
        if (fight !== undefined) {
          return broken(link, `${name} is cut off again and again`, fight);
        }
        return ok(link, `since ${connectivity.at?.toISOString() ?? "some time"}`);
      }
      return broken(link, disconnected(name, connectivity), await connectionCause(context, core, service));
    },
    async () => {
      const link = "healthy and fresh";
      const device = await coreDevice(access, name);
      if (device === undefined) {
        return broken(link, `${name} has never reported its health`, {
          cause: "it is not a core device yet",
          fix: "wait a minute and check again",
        });
      }
      const hours = hoursSince(device.at);
      if (hours >= FRESH_HOURS) {
        return broken(link, `the last report says ${device.status} and is ${Math.floor(hours)} hours old`, {
          cause: "a nucleus reports once a day: this one hangs, or its clock is wrong",
          fix: `restart it: sudo systemctl restart greengrass${isLite ? "-lite.target" : ""}${host === "" ? "" : ` (ssh ${host})`}`,
        });
      }
      if (device.status === "HEALTHY") {
        return ok(link, `reported ${Math.round(hours * 60)} min ago, nucleus ${device.version}${simulated}`);
      }
      const faulty = await faultyComponents(access, name);
      return broken(link, `${name} is ${device.status}`, {
        cause: faulty.join(", ") || "a component does not work",
        fix: isLite
          ? "on the device: sudo journalctl -t the name of the component"
          : "see the component's log in the logs folder of the Greengrass root on the device",
      });
    },
    () => deploymentLink(context, core),
  ]);
}

async function deploymentLink(
  { root, account: { access } }: CheckContext,
  { name, group }: CoreSettings,
): Promise<Link> {
  const link = "deployment succeeded";
  const id = deployedTo(root, group)?.id;
  if (id === undefined) {
    return broken(link, `nothing was deployed to ${group}`, {
      cause: "dospesos deploy did not run yet",
      fix: "dospesos deploy",
    });
  }
  const found = await effectiveDeployment(access, name, id);
  if (found === undefined) {
    return broken(link, `deployment ${id} has not reached ${name}`, {
      cause: `${name} is not in the thing group ${group}, or another deployment took its place`,
      fix: "dospesos build --verify, then dospesos deploy --force",
    });
  }
  if (found.status === "SUCCEEDED") {
    return ok(link, `deployment ${id}`);
  }
  const errors = found.errors.length === 0 ? "" : ` (${found.errors.join(" > ")})`;
  if (found.status === "QUEUED" || found.status === "IN_PROGRESS") {
    return broken(link, `deployment ${id} is ${found.status}`, {
      cause: "the core still works on it, or another job of the thing is before it",
      fix: "dospesos deploy waits for it",
    });
  }
  return broken(link, `deployment ${id} is ${found.status}`, {
    cause: `${found.reason}${errors}`,
    fix: "put it right in settings.ini or templates/deployment, then dospesos deploy",
  });
}

/** The deployment that this project made for the group: its id, and the ARN of the group. */
export function deployedTo(
  root: string,
  group: string,
): { readonly id: string; readonly target: string } | undefined {
  const file = join(root, markerFile("deployment", group));
  return existsSync(file)
    ? (JSON.parse(readFileSync(file, "utf8")) as { outputs?: { id: string; target: string } }).outputs
    : undefined;
}

async function connectionCause(
  { root, account }: CheckContext,
  { name }: CoreSettings,
  service: Service | undefined,
): Promise<Cause> {
  const off = service?.reached === true ? (service.clockOff ?? 0) : 0;
  if (Math.abs(off) > CLOCK_SECONDS) {
    return {
      cause:
        `the device's clock is ${Math.round(Math.abs(off))} s ` +
        `${off < 0 ? "behind" : "ahead"}, so that certificates are not valid there`,
      fix: "on the device: sudo timedatectl set-ntp true",
    };
  }
  const folder = join(root, bundleFolder(name));
  return (
    (await endpointCause(account.access, folder)) ??
    (await identityCause(account.access, account.id, folder, name, coreRights(name))) ??
    (await observedCause(account, name)) ?? {
      cause:
        "the account lets it in, so the device is off, runs no Greengrass, or its network does not let port 8883 out",
      fix:
        account.endpoint === undefined
          ? "see logs/greengrass.log below the Greengrass root on the device"
          : "see the output of dospesos sandbox",
    }
  );
}

function hoursSince(at: Date): number {
  return (Date.now() - at.getTime()) / 3_600_000;
}

function disconnected(name: string, connectivity: Awaited<ReturnType<typeof connectivityOf>>): string {
  if (typeof connectivity !== "object") {
    return `nobody has seen ${name} connect, and it has never reported its health`;
  }
  return connectivity.connected
    ? `${name} connects, and has never reported its health`
    : `${name} is not connected (${connectivity.reason ?? "AWS gives no reason"})`;
}

import { setTimeout as pause } from "node:timers/promises";
import { withAccount, type Account } from "../../account/account.ts";
import { withDevices } from "../../account/data-plane.ts";
import { settingsOf } from "../../account/modules.ts";
import { coreDevice, effectiveDeployment } from "../../aws/device-state.ts";
import { deploymentId } from "../../check/core-links.ts";
import { acquireLock } from "../../engine/index.ts";
import type { Run } from "../run.ts";
import { build } from "./build.ts";

/** How often AWS is asked, and how long a core may take: components are downloaded. */
const ASK_MS = 2_000;
const PATIENCE_MS = 15 * 60_000;
const OVER = ["SUCCEEDED", "FAILED", "TIMED_OUT", "CANCELED", "REJECTED"];

/**
 * `dospesos deploy`: builds the group "deployment" and waits until each core has said what became of exactly
 * that deployment. A core that never connected is told and not waited for: it gets the deployment when it
 * comes. Exit 0, 1 where one failed or took too long, 4 as build.
 */
export async function deploy(run: Run): Promise<number> {
  const { args, root, screen, signal } = run;
  const exit = await build({ ...run, args: { ...args, targets: ["deployment"] } });
  if (exit !== 0 || args.dryRun) {
    return exit;
  }
  const lock = await acquireLock(root, {
    command: "dospesos deploy",
    wait: true,
    signal,
    onWait: (holder) => screen.emit({ type: "lock-wait", holder }),
  });
  try {
    const session = run.open();
    const settings = settingsOf(session.observer.settings, session.observer.settingsFile);
    const body = (account: Account): Promise<boolean[]> =>
      Promise.all(
        [...settings.cores].map(({ name, group }) =>
          outcome(run, account, name, deploymentId(root, group) ?? ""),
        ),
      );
    const succeeded = await withDevices({ root, settings, told: () => {} }, () =>
      withAccount({ root, settings }, body),
    );
    return succeeded.every(Boolean) ? 0 : 1;
  } finally {
    lock.release();
  }
}

/** Whether the deployment did not fail on the core. */
async function outcome(
  { screen, signal }: Run,
  { access }: Account,
  core: string,
  id: string,
): Promise<boolean> {
  const deadline = Date.now() + PATIENCE_MS;
  let last = "";
  for (;;) {
    if ((await coreDevice(access, core)) === undefined) {
      screen.say(`waits    ${core} has never connected: it gets deployment ${id} when it does`);
      return true;
    }
    const found = await effectiveDeployment(access, core, id);
    const status = found?.status ?? "not there yet";
    if (OVER.includes(status)) {
      const good = status === "SUCCEEDED";
      const outcomeText = good ? status : `${status}: ${found?.reason}`;
      screen.say(`${good ? "deployed" : "failed  "} ${core}  deployment ${id}: ${outcomeText}`);
      return good;
    }
    if (status !== last) {
      screen.say(`waiting  ${core}  deployment ${id}: ${status}`);
    }
    last = status;
    if (Date.now() > deadline) {
      screen.say(
        `failed   ${core}  deployment ${id} is still ${status} after ` +
          `${PATIENCE_MS / 60_000} minutes: dospesos check ${core} tells where it hangs`,
      );
      return false;
    }
    await pause(ASK_MS, undefined, { signal });
  }
}

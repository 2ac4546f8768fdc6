import { setTimeout as pause } from "node:timers/promises";
import { withAccount, type Account } from "../../account/account.ts";
import { withDevices } from "../../account/data-plane.ts";
import { coreDevice, effectiveDeployment } from "../../aws/device-state.ts";
import { deploymentId } from "../../check/core-links.ts";
import type { DeploymentStatus } from "../../ui/events/index.ts";
import { command, locked, type CommandContext } from "../command.ts";
import { dryRun, force, jobs, keepGoing, noWait, yes } from "../options.ts";
import { openProject } from "../project.ts";
import { runBuild, showPlan } from "./build.ts";

/** How often AWS is asked, and how long a core may take: components are downloaded. */
const POLL_MS = 2_000;
const TIMEOUT_MS = 15 * 60_000;
const FINAL_STATUSES = ["SUCCEEDED", "FAILED", "TIMED_OUT", "CANCELED", "REJECTED"];

/**
 * `dospesos deploy`: builds the group "deployment" and waits for each core's result of exactly that deployment.
 * A core that never connected is reported and not waited for: it gets the deployment when it comes.
 */
export const deploy = command({
  options: { dryRun, jobs, keepGoing, force, yes, noWait },
  exits: {
    0: "deployed",
    1: "a step, or the deployment on a core, failed or took too long",
    3: "another run works here (--no-wait)",
    4: "something needs a person, as build says",
  },
  examples: ["deploy", "deploy --yes"],
  locks: false,
  run: async (context) => {
    const building = {
      ...context,
      names: ["deployment"],
      options: { ...context.options, verify: false },
    };
    if (context.options.dryRun) {
      return showPlan(building);
    }
    const exit = await locked(context, () => runBuild(building));
    return exit === 0 ? locked(context, () => waitForCores(context), true) : exit;
  },
});

async function waitForCores(context: CommandContext): Promise<number> {
  const { root } = context;
  const { settings } = openProject(context);
  const body = (account: Account): Promise<boolean[]> =>
    Promise.all(
      [...settings.cores].map(({ name, group }) =>
        waitForCore(context, account, name, deploymentId(root, group) ?? ""),
      ),
    );
  const succeeded = await withDevices({ root, settings, log: () => {} }, () =>
    withAccount({ root, settings }, body),
  );
  return succeeded.every(Boolean) ? 0 : 1;
}

/** Whether the deployment did not fail on the core. */
async function waitForCore(
  { emit, signal }: CommandContext,
  { access }: Account,
  core: string,
  deployment: string,
): Promise<boolean> {
  const report = (outcome: DeploymentStatus["outcome"], status?: string, reason?: string): void =>
    emit({
      type: "deployment",
      core,
      deployment,
      outcome,
      ...(status === undefined ? {} : { status }),
      ...(reason === undefined ? {} : { reason }),
    });
  const deadline = Date.now() + TIMEOUT_MS;
  let last: string | null | undefined = null;
  for (;;) {
    if ((await coreDevice(access, core)) === undefined) {
      report("offline");
      return true;
    }
    const { status, reason } = (await effectiveDeployment(access, core, deployment)) ?? {};
    if (status !== undefined && FINAL_STATUSES.includes(status)) {
      const isGood = status === "SUCCEEDED";
      report(isGood ? "succeeded" : "failed", status, reason);
      return isGood;
    }
    if (Date.now() > deadline) {
      report("timeout", status);
      return false;
    }
    if (status !== last) {
      report("pending", status);
    }
    last = status;
    await pause(POLL_MS, undefined, { signal });
  }
}

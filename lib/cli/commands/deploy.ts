import { setTimeout as pause } from "node:timers/promises";
import { withAccount, type Account } from "../../account/account.ts";
import { markerFile } from "../../account/account-effect.ts";
import { withDevices } from "../../account/data-plane.ts";
import { effectiveDeployment } from "../../aws/device-state.ts";
import { coreDevicesOf, jobExecutions, jobOf } from "../../aws/job-executions.ts";
import { deployedTo } from "../../check/core-links.ts";
import { didYouMean, ProblemError, shown } from "../../problem/index.ts";
import type { DeploymentStatus } from "../../ui/events/index.ts";
import { command, locked, type CommandContext } from "../command.ts";
import { dryRun, force, jobs, keepGoing, noWait, text, yes, type OptionValues } from "../options.ts";
import { openProject } from "../project.ts";
import { NO_BUILD_OPTIONS, runBuild, showPlan } from "./build.ts";

/** How often AWS is asked. */
const POLL_MS = 2_000;
/**
 * How many milliseconds it is waited while nothing happens on any core: components are downloaded, and AWS may bring a
 * deployment to some cores a minute only.
 */
const STANDSTILL_MS = 15 * 60_000;
const FINAL_STATUSES = ["SUCCEEDED", "FAILED", "TIMED_OUT", "CANCELED", "REJECTED"];

const options = {
  dryRun,
  jobs,
  keepGoing,
  force,
  yes,
  noWait,
  group: text("NAME", "only the deployment of this thing group"),
  canary: text("GROUP", "this thing group first; the others only if all of its cores succeed"),
};

/**
 * `dospesos deploy`: builds the group "deployment" and waits for each core's result of exactly that deployment.
 * A core that never connected is reported and not waited for: it gets the deployment when it comes. How fast a
 * deployment reaches the cores of a group, and when AWS ends it, [deployment] says.
 */
export const deploy = command({
  options,
  exits: {
    0: "deployed",
    1: "a step, or the deployment on a core, failed or took too long",
    3: "another run works here (--no-wait)",
    4: "something needs a person, as build says",
  },
  examples: ["deploy", "deploy --yes", "deploy --group lab", "deploy --canary lab"],
  locks: false,
  run: async (context) => {
    const { group, canary } = context.options;
    if (canary === undefined || context.options.dryRun) {
      return await deployTo(context, group === undefined ? undefined : [group]);
    }
    const exit = await deployTo(context, [canary]);
    return exit === 0 ? await deployTo(context, undefined) : exit;
  },
});

type DeployContext = CommandContext & { readonly options: OptionValues<typeof options> };

/** Deploys to some thing groups, or to all, and waits for their cores. */
async function deployTo(context: DeployContext, groups: readonly string[] | undefined): Promise<number> {
  const known = [...new Set([...openProject(context).settings.cores].map(({ group }) => group))];
  const unknown = groups?.find((group) => !known.includes(group));
  if (unknown !== undefined) {
    const meant = didYouMean(unknown, known);
    throw new ProblemError([
      {
        code: "DP202",
        what: `no core is in the group ${shown(unknown)}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
        fix: `one of ${known.slice(0, 20).join(", ")}`,
      },
    ]);
  }
  const names = groups?.map((group) => markerFile("deployment", group)) ?? ["deployment"];
  const building = { ...context, names, options: { ...context.options, ...NO_BUILD_OPTIONS } };
  if (context.options.dryRun) {
    return showPlan(building);
  }
  const exit = await locked(context, () => runBuild(building));
  return exit === 0 ? locked(context, () => waitForGroups(context, groups ?? known), true) : exit;
}

async function waitForGroups(context: DeployContext, groups: readonly string[]): Promise<number> {
  const { root, emit } = context;
  const { settings } = openProject(context);
  const members = new Map<string, string[]>(groups.map((group) => [group, []]));
  for (const { name, group } of settings.cores) {
    members.get(group)?.push(name);
  }
  const minutes = settings.deployment.timeout_minutes ?? 0;
  const standstill = Math.max(STANDSTILL_MS, (minutes + 1) * 60_000);
  const counts = { succeeded: 0, failed: 0, offline: 0 };
  await withDevices({ root, settings, log: () => {} }, () =>
    withAccount({ root, settings }, async (account) => {
      for (const [group, cores] of members) {
        const found = await waitForGroup({ ...context, standstill }, account, group, cores);
        for (const key of ["succeeded", "failed", "offline"] as const) {
          counts[key] += found[key];
        }
      }
    }),
  );
  emit({ type: "deployment-summary", ...counts });
  return counts.failed === 0 ? 0 : 1;
}

type Counts = Record<"succeeded" | "failed" | "offline", number>;

/** Follows one deployment until each core of its group has a result; all cores in a few calls at a time. */
async function waitForGroup(
  { root, emit, signal, standstill }: DeployContext & { readonly standstill: number },
  { access }: Account,
  group: string,
  cores: readonly string[],
): Promise<Counts> {
  const { id: deployment, target } = deployedTo(root, group) ?? { id: "", target: "" };
  const report = (
    core: string,
    outcome: DeploymentStatus["outcome"],
    status?: string,
    reason?: string,
  ): void =>
    emit({
      type: "deployment",
      core,
      deployment,
      outcome,
      ...(status === undefined ? {} : { status }),
      ...(reason === undefined ? {} : { reason }),
    });
  const job = await jobOf(access, deployment);
  const counts: Counts = { succeeded: 0, failed: 0, offline: 0 };
  const seen = new Map<string, string | undefined>();
  const present = await coreDevicesOf(access, target);
  let open = [...cores];
  for (let deadline = Date.now() + standstill; open.length > 0;) {
    const executions = await jobExecutions(access, job);
    const isLate = Date.now() > deadline;
    const left: string[] = [];
    for (const core of open) {
      const status = executions.get(core);
      if (!present.has(core)) {
        report(core, "offline");
        counts.offline++;
      } else if (status !== undefined && FINAL_STATUSES.includes(status)) {
        const isGood = status === "SUCCEEDED";
        const reason = isGood ? undefined : (await effectiveDeployment(access, core, deployment))?.reason;
        report(core, isGood ? "succeeded" : "failed", status, reason);
        counts[isGood ? "succeeded" : "failed"]++;
        deadline = Date.now() + standstill;
      } else if (isLate) {
        report(core, "timeout", status);
        counts.failed++;
      } else {
        if (!seen.has(core) || seen.get(core) !== status) {
          report(core, "pending", status);
          deadline = Date.now() + standstill;
        }
        seen.set(core, status);
        left.push(core);
      }
    }
    open = left;
    if (open.length > 0) {
      await pause(POLL_MS, undefined, { signal });
    }
  }
  return counts;
}

import { elsewhere, worldOf } from "../../account/world.ts";
import {
  build as buildTargets,
  explain,
  finish,
  lookForOrphans,
  openStore,
  selectSteps,
  type PlannedEffect,
  type Summary,
} from "../../engine/index.ts";
import { settingsOf } from "../../account/modules.ts";
import type { Settings } from "../../settings/index.ts";
import { askConsent } from "../../ui/consent.ts";
import { advise } from "../advice.ts";
import { command, type CommandContext } from "../command.ts";
import {
  dryRun,
  force,
  jobs,
  keepGoing,
  noWait,
  plan,
  planOut,
  verify,
  yes,
  type OptionValues,
} from "../options.ts";
import { PlanToFollow, savePlan } from "../saved-plan.ts";
import { reportStatus } from "./status.ts";

const options = { dryRun, jobs, keepGoing, force, yes, verify, noWait, planOut, plan };

/** The context of build, and of who builds in its course. */
export type BuildContext = CommandContext & { readonly options: OptionValues<typeof options> };

/** Who builds in its course does not have these. */
export const NO_BUILD_OPTIONS = { verify: false, planOut: undefined, plan: undefined } as const;

/** `dospesos build`. */
export const build = command({
  options,
  exits: {
    0: "all is made",
    1: "a step failed",
    3: "another run works here (--no-wait)",
    4: "something needs a person: consent, credentials, a request of a device",
    5: "with --plan-out: something would change; with --plan: it is applied, and what follows is the next plan",
  },
  examples: [
    "build",
    "build edge-installer",
    "build --dry-run",
    "build --verify --yes",
    "build --plan-out plan.json",
    "build --plan plan.json",
  ],
  locks: ({ dryRun: isDry }) => !isDry,
  run: (context) => (context.options.dryRun ? showPlan(context) : runBuild(context)),
});

/** How many calls to the account are under way at the same time, unless -j says how many jobs. */
const REMOTE_JOBS = 48;

/** Builds under the lock that is held. Gives the exit code. */
export async function runBuild(context: BuildContext): Promise<number> {
  const { options: given, names, root, emit, signal } = context;
  const begin = performance.now();
  if (given.verify) {
    const { forgetDrifted, verify: verifyApplied } = await import("../verify.ts");
    forgetDrifted(root, await verifyApplied(context, given.jobs));
  }
  const session = context.open();
  for (const one of elsewhere(root, () => worldOf(session.observer.settingsIfAny))) {
    emit({ type: "elsewhere", ...one });
  }
  const store = openStore(session, emit);
  let isDeclined = false;
  const planned: PlannedEffect[] = [];
  const settings = (): Settings => settingsOf(session.observer.settings, session.observer.settingsFile);
  const toFollow = given.plan === undefined ? undefined : new PlanToFollow(given.plan, settings);
  const consent = async (effects: readonly PlannedEffect[]): Promise<boolean> => {
    if (given.planOut !== undefined) {
      planned.push(...effects);
      return false;
    }
    if (toFollow !== undefined) {
      return toFollow.consents(effects);
    }
    advise(settings(), emit);
    const isConsented = given.yes || (await askConsent(`Apply these changes (${effects.length})?`, signal));
    isDeclined ||= !isConsented;
    return isConsented;
  };
  let summary: Summary;
  try {
    const { jobs: limit, keepGoing: goesOn, force: forced } = given;
    summary = await buildTargets(
      session,
      store,
      {
        targets: names,
        jobs: limit,
        remoteJobs: limit === jobs.default ? REMOTE_JOBS : limit,
        keepGoing: goesOn,
        force: forced,
        effects: "run",
        consent,
      },
      emit,
      signal,
    );
  } finally {
    store.checkpoint();
  }
  await finish(session, store);
  const { ran, fresh, failed, skipped, exit } = summary;
  const ms = Math.round(performance.now() - begin);
  const interrupted = signal.aborted;
  emit({ type: "end", ran, fresh, failed, skipped, ms, targets: names, interrupted, watch: false });
  if (given.planOut !== undefined && !interrupted && failed === 0) {
    savePlan(given.planOut, settings(), planned);
    emit({ type: "plan-saved", file: given.planOut, effects: planned.length });
    return planned.length === 0 ? exit : 5;
  }
  if (toFollow !== undefined && toFollow.later.length > 0 && !interrupted && failed === 0) {
    emit({ type: "plan-followed", file: given.plan!, later: toFollow.later });
    return 5;
  }
  if (isDeclined && !interrupted) {
    emit({
      type: "declined",
      command: "build",
      fix: "run again at a terminal and say yes, or with --yes",
    });
  }
  return exit;
}

/** Reports what a build would do, and does nothing. */
export async function showPlan({ names, emit, open }: CommandContext): Promise<number> {
  const session = open();
  const graph = await session.graph(false);
  if (session.replaced) {
    lookForOrphans(session, graph, emit);
  }
  const explanations = explain(session, graph, selectSteps(session.state, graph, names));
  const notFresh = explanations.filter(({ freshness }) => freshness !== "fresh");
  reportStatus(emit, notFresh, true);
  if (notFresh.length > 0) {
    advise(settingsOf(session.observer.settings, session.observer.settingsFile), emit);
  }
  emit({ type: "dry-run-summary", notFresh: notFresh.length, targets: explanations.length });
  return 0;
}

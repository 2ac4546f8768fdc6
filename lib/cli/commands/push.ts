import { join } from "node:path";
import { nucleusFile } from "../../layout.ts";
import { readOutcomes, writeOutcomes, type Outcome } from "../../device/push-record.ts";
import { push as pushTo } from "../../device/push.ts";
import { explain, selectSteps, type Session } from "../../engine/index.ts";
import { inParallel } from "../../parallel.ts";
import { ProblemError } from "../../problem/index.ts";
import type { Push } from "../../ui/events/index.ts";
import { askConsent } from "../../ui/consent.ts";
import { reasonText } from "../../ui/reason-text.ts";
import { reportProblems } from "../../ui/screen.ts";
import { command, type CommandContext } from "../command.ts";
import { dryRun, jobs, noWait, text, yes, type OptionValues, type ValueOption } from "../options.ts";
import { problemsFor } from "../problems.ts";
import { openProject, type OpenProject } from "../project.ts";
import { pushTargets, type PushTarget } from "../push-targets.ts";

const only: ValueOption<"failed" | undefined> = {
  type: "string",
  placeholder: "failed",
  help: "only the cores whose last push did not end well",
  default: undefined,
  parse: (given) =>
    given === "failed" ? { value: given } : { wrong: `takes failed, not ${JSON.stringify(given)}` },
};

const options = {
  dryRun,
  jobs,
  yes,
  noWait,
  host: text("HOST", "where the device of the one named core is, instead of its host in the settings"),
  only,
  offline: { type: "boolean", help: "install though the device cannot reach AWS now" },
  sandboxOk: { type: "boolean", help: "install a sandbox bundle, though its core cannot reach AWS" },
} as const;

/** `dospesos push [CORE…]`: brings bundles to their devices over the user's ssh and installs them. */
export const push = command({
  options,
  exits: {
    0: "installed",
    1: "it failed on a device",
    3: "another run works here (--no-wait)",
    4: "it needs a person: consent, a host key, a password",
  },
  examples: ["push", "push core-1 --host pi@core-1.local", "push --only failed -j 8"],
  locks: true,
  run: runPush,
});

type PushContext = CommandContext & { readonly options: OptionValues<typeof options> };

async function runPush(context: PushContext): Promise<number> {
  const { options: given, root, emit, signal } = context;
  const project = openProject(context);
  const outcomes = readOutcomes(root);
  const targets = pushTargets(project, context.names, given, (core) => outcomes.get(core));
  if (targets.length === 0) {
    emit({ type: "push-summary", done: 0, failed: 0 });
    return 0;
  }
  const nucleus = await nucleusFor(project, targets, emit);
  if (!given.dryRun && !given.yes && !(await askConsent(`${questionFor(targets)}?`, signal))) {
    emit({ type: "declined", command: "push", fix: "run again at a terminal and say yes, or with --yes" });
    return 4;
  }
  const setupOptions = [
    given.dryRun ? "--dry-run" : "--yes",
    ...(given.sandboxOk ? ["--sandbox-ok"] : []),
    ...(given.offline ? ["--offline"] : []),
  ];
  emit({ type: "push-begin", cores: targets.map(({ core }) => core) });
  const failures = await pushAll(context, targets, async ({ core, host, location, archive }, report) => {
    const note = (outcome: Outcome): void => {
      if (!given.dryRun) {
        writeOutcomes(root, outcomes.set(core, outcome));
      }
    };
    note("begun");
    try {
      const interactive = targets.length === 1 && process.stdin.isTTY;
      await pushTo({
        core,
        device: { host, location, interactive, signal },
        archive: join(root, archive),
        nucleus:
          nucleus === undefined || project.settings.cores.get(core).runtime === "lite"
            ? undefined
            : join(root, nucleus),
        options: setupOptions,
        report,
        note: (what) => emit({ type: "note", what }),
      });
      note("done");
    } catch (error) {
      note("failed");
      throw error;
    }
  });
  signal.throwIfAborted();
  emit({ type: "push-summary", done: targets.length - failures.length, failed: failures.length });
  if (failures.length === 0) {
    return 0;
  }
  return failures.every((error) => error instanceof ProblemError && error.exitCode === 4) ? 4 : 1;
}

/** Ten devices are a question; more of them would be a page. */
function questionFor(targets: readonly PushTarget[]): string {
  const named = targets.slice(0, 10).map(({ core, host }) => `${core} on ${host}`);
  const more = targets.length > named.length ? `, and on ${targets.length - named.length} more` : "";
  return `Install ${named.join(", ")}${more}`;
}

/** The nucleus zip that the bundles need. Throws a ProblemError where it, or a bundle, is not up to date. */
async function nucleusFor(
  { session, settings }: OpenProject,
  targets: readonly PushTarget[],
  emit: CommandContext["emit"],
): Promise<string | undefined> {
  // The package of nucleus lite is in its bundles.
  const needed = targets.some(({ core }) => settings.cores.get(core).runtime === "classic");
  const nucleus =
    settings.greengrass.nucleus === "none" || !needed ? undefined : nucleusFile(settings.greengrass.version);
  await mustBeFresh(session, [
    ...targets.map(({ archive }) => archive),
    ...(nucleus === undefined ? [] : [nucleus]),
  ]);
  if (nucleus === undefined && needed) {
    emit({
      type: "note",
      what: "[greengrass] nucleus = none: the nucleus zip is not sent, so the device must have it already",
    });
  }
  return nucleus;
}

/** What is pushed must be what the settings say now. */
async function mustBeFresh(session: Session, files: readonly string[]): Promise<void> {
  const graph = await session.graph(false);
  const stale = explain(session, graph, selectSteps(session.state, graph, files)).filter(
    ({ freshness }) => freshness !== "fresh",
  );
  if (stale.length > 0) {
    throw new ProblemError(
      stale.slice(0, 5).map(({ target, freshness, reasons }) => ({
        code: "DP624" as const,
        location: { file: target },
        what: `is ${freshness}${reasons.length === 0 ? "" : `: ${reasonText(reasons[0]!)}`}`,
        why: "a device should get what the settings say now",
        fix: "dospesos build edge-installer, then push again",
      })),
    );
  }
}

/** Does the work for each target, at most `jobs` at the same time; reports and gives what failed. */
async function pushAll(
  { options: { jobs: limit, dryRun: isDry }, emit, signal }: PushContext,
  targets: readonly PushTarget[],
  work: (target: PushTarget, report: (what: string) => void) => Promise<void>,
): Promise<unknown[]> {
  const failures: unknown[] = [];
  await inParallel(limit, targets, async (target) => {
    if (signal.aborted) {
      return;
    }
    const { core, host } = target;
    const report = (status: Push["status"], what: string): void =>
      emit({ type: "push", core, host, status, what });
    try {
      await work(target, (what) => report("running", what));
      report("done", isDry ? "checked; nothing was changed" : "installed, its service is active");
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      failures.push(error);
      const [first] = problemsFor(error);
      report("failed", `failed: ${first!.what.replace(`${core}: `, "")}`);
    }
  });
  for (const error of failures) {
    reportProblems(emit, problemsFor(error));
  }
  return failures;
}

import { join } from "node:path";
import { nucleusFile } from "../../layout.ts";
import { notePush, readPushes, type PushRecord } from "../../device/push-record.ts";
import { localFile } from "../../device/push-task.ts";
import { push as pushTo } from "../../device/push.ts";
import { explain, selectSteps, type Session } from "../../engine/index.ts";
import { ProblemError, shown } from "../../problem/index.ts";
import type { Push } from "../../ui/events/index.ts";
import { askConsent } from "../../ui/consent.ts";
import { reasonText } from "../../ui/reason-text.ts";
import { reportProblems } from "../../ui/screen.ts";
import { command, type CommandContext } from "../command.ts";
import { dryRun, jobs, noWait, text, yes, type OptionValues, type ValueOption } from "../options.ts";
import { problemsFor } from "../problems.ts";
import { openProject, type OpenProject } from "../project.ts";
import { reportPushes } from "../push-status.ts";
import { pushTargets, type PushTarget } from "../push-targets.ts";
import { inWaves, waveOptions } from "../waves.ts";

const only: ValueOption<"failed" | "pending" | undefined> = {
  type: "string",
  placeholder: "failed|pending",
  help: "only the cores whose last push did not end well, or that do not have the present bundle",
  default: undefined,
  parse: (given) =>
    given === "failed" || given === "pending"
      ? { value: given }
      : { wrong: `takes failed or pending, not ${shown(given)}` },
};

const options = {
  dryRun,
  jobs,
  yes,
  noWait,
  host: text("HOST", "where the device of the one named core is, instead of its host in the settings"),
  only,
  ...waveOptions,
  status: { type: "boolean", help: "show which device has which bundle, and push nothing" },
  offline: { type: "boolean", help: "install though the device cannot reach AWS now" },
  sandboxOk: { type: "boolean", help: "install a sandbox bundle, though its core cannot reach AWS" },
} as const;

/** `dospesos push [CORE…]`: brings bundles to their devices over the user's ssh and installs them. */
export const push = command({
  options,
  exits: {
    0: "installed",
    1: "it failed on a device; with --status: a device does not have the present bundle",
    3: "another run works here (--no-wait)",
    4: "it needs a person: consent, a host key, a password",
  },
  examples: [
    "push",
    "push core-1 --host pi@core-1.local",
    "push --only failed -j 8",
    "push --group lab --canary 5 --max-failures 2% -j 16",
  ],
  locks: true,
  run: runPush,
});

type PushContext = CommandContext & { readonly options: OptionValues<typeof options> };

async function runPush(context: PushContext): Promise<number> {
  const { options: given, root, emit, signal } = context;
  const project = openProject(context);
  const records = readPushes(root);
  if (given.status) {
    return reportPushes(context, project, records);
  }
  const targets = pushTargets(project, context.names, given, records);
  if (targets.length === 0) {
    emit({ type: "push-summary", done: 0, failed: 0, left: 0 });
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
  const zip = nucleus === undefined ? undefined : localFile(join(root, nucleus));
  const report = ({ core, host }: PushTarget, status: Push["status"], what: string): void =>
    emit({ type: "push", core, host, status, what });
  const { failed, left } = await inWaves(targets, { ...given, signal }, async (target) => {
    const { core, host, location, archive } = target;
    const bundle = localFile(join(root, archive));
    const note = (outcome: PushRecord["outcome"], why?: string): void => {
      if (!given.dryRun) {
        const more = why === undefined ? {} : { why };
        notePush(root, { core, outcome, archive: bundle.sha256, at: Date.now(), ...more });
      }
    };
    note("begun");
    try {
      const interactive = targets.length === 1 && process.stdin.isTTY;
      await pushTo({
        core,
        device: { host, location, interactive, signal },
        archive: bundle,
        nucleus: project.settings.cores.get(core).runtime === "lite" ? undefined : zip,
        options: setupOptions,
        report: (what) => report(target, "running", what),
        note: (what) => emit({ type: "note", what }),
      });
      note("done");
      report(
        target,
        "done",
        given.dryRun ? "checked; nothing was changed" : "installed, its service is active",
      );
    } catch (error) {
      const [first] = problemsFor(error);
      const what = first!.what.replace(`${core}: `, "");
      note("failed", what);
      if (!signal.aborted) {
        report(target, "failed", `failed: ${what}`);
      }
      throw error;
    }
  });
  signal.throwIfAborted();
  for (const { error } of failed) {
    reportProblems(emit, problemsFor(error));
  }
  const done = targets.length - failed.length - left.length;
  emit({ type: "push-summary", done, failed: failed.length, left: left.length });
  if (failed.length === 0) {
    return 0;
  }
  return failed.every(({ error }) => error instanceof ProblemError && error.exitCode === 4) ? 4 : 1;
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

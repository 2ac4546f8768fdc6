import { join } from "node:path";
import { settingsOf } from "../../account/modules.ts";
import { readOutcomes, writeOutcomes, type Outcome } from "../../device/push-record.ts";
import { push as pushTo } from "../../device/push.ts";
import { acquireLock, explain, selectSteps, type Session } from "../../engine/index.ts";
import { didYouMean, ProblemError, shown, type SourceLocation, type Problem } from "../../problem/index.ts";
import { hostFault } from "../../settings/values.ts";
import type { CoreSettings, Settings } from "../../settings/index.ts";
import { askConsent } from "../../ui/consent.ts";
import { jobLines } from "../../ui/lines.ts";
import { reasonText } from "../../ui/reason-text.ts";
import { problemsFor } from "../problems.ts";
import type { Run } from "../run.ts";

interface Target {
  readonly core: string;
  readonly host: string;
  readonly place: SourceLocation | undefined;
  readonly archive: string;
}

/**
 * `dospesos push [CORE…]`: brings bundles to their devices over the user's ssh and installs them, several at
 * the same time. Exit 0, 1 if one of them failed, 2 for wrong words or settings, 4 if a person is needed.
 */
export async function push(run: Run): Promise<number> {
  const { args, root, screen, signal } = run;
  const lock = await acquireLock(root, {
    command: "dospesos push",
    wait: args.wait,
    signal,
    onWait: (holder) => screen.emit({ type: "lock-wait", holder }),
  });
  try {
    const session = run.open();
    const settings = settingsOf(session.observer.settings, session.observer.settingsFile);
    const outcomes = readOutcomes(root);
    const targets = targetsOf(run, session, settings, (core) => outcomes.get(core));
    if (targets.length === 0) {
      screen.say("nothing to push");
      return 0;
    }
    const nucleus =
      settings.greengrass.nucleus === "none"
        ? undefined
        : `edge/nucleus/greengrass-${settings.greengrass.version}.zip`;
    await mustBeFresh(session, [
      ...targets.map(({ archive }) => archive),
      ...(nucleus === undefined ? [] : [nucleus]),
    ]);
    if (nucleus === undefined) {
      screen.emit({
        type: "note",
        what: "[greengrass] nucleus = none: the nucleus zip is not sent, so the device must have it already",
      });
    }
    if (
      !args.dryRun &&
      !args.yes &&
      !(await askConsent(
        `Install ${targets.map(({ core, host }) => `${core} on ${host}`).join(", ")}?`,
        signal,
      ))
    ) {
      screen.say("nothing was pushed: run again at a terminal and say yes, or with --yes");
      return 4;
    }
    const options = [
      args.dryRun ? "--dry-run" : "--yes",
      ...(args.sandboxOk ? ["--sandbox-ok"] : []),
      ...(args.offline ? ["--offline"] : []),
    ];
    const failures = await atTheSameTime(run, targets, async ({ core, host, place, archive }, tell) => {
      const note = (outcome: "begun" | "failed" | "done"): void => {
        if (!args.dryRun) {
          writeOutcomes(root, outcomes.set(core, outcome));
        }
      };
      note("begun");
      try {
        const asks = targets.length === 1 && process.stdin.isTTY;
        await pushTo({
          core,
          device: { host, place, asks, signal },
          archive: join(root, archive),
          nucleus: nucleus === undefined ? undefined : join(root, nucleus),
          options,
          tell,
        });
        note("done");
      } catch (error) {
        note("failed");
        throw error;
      }
    });
    signal.throwIfAborted();
    if (targets.length > 1) {
      screen.say(
        `${targets.length - failures.length} done, ${failures.length} failed${failures.length > 0 ? ": dospesos push --only failed" : ""}`,
      );
    }
    if (failures.length === 0) {
      return 0;
    }
    return failures.every((error) => error instanceof ProblemError && error.exitCode === 4) ? 4 : 1;
  } finally {
    lock.release();
  }
}

/** Which cores, and where they are. Throws a ProblemError (exit 2) with all that is wrong. */
function targetsOf(
  { args }: Run,
  { observer }: Session,
  settings: Settings,
  outcomeOf: (core: string) => Outcome | undefined,
): Target[] {
  const { settings: content, settingsFile: file } = observer;
  const cores: CoreSettings[] = [...settings.cores];
  const problems: Problem[] = [];
  const named =
    args.targets.length > 0
      ? args.targets
      : cores
          .filter(({ name, host }) => (args.only === undefined ? host !== "" : hasFailed(outcomeOf(name))))
          .map(({ name }) => name);
  if (named.length === 0 && args.only === undefined) {
    problems.push({
      code: "DP623",
      location: { file },
      what: "no core has a host",
      why: "push needs to know where the devices are",
      fix: "add host = [user@]host to [core NAME], or: dospesos push NAME --host [user@]host",
    });
  }
  const wrongHost = args.host === undefined ? undefined : hostFault(args.host);
  if (wrongHost !== undefined) {
    problems.push({ code: "DP202", what: `--host: ${wrongHost}`, fix: "e.g. --host pi@core-1.local" });
  }
  if (args.host !== undefined && named.length !== 1) {
    problems.push({
      code: "DP202",
      what: "--host is the place of one core",
      fix: "name one core: dospesos push NAME --host [user@]host",
    });
  }
  const targets = [...new Set(named)].flatMap((name): Target[] => {
    const core = cores.find((one) => one.name === name);
    if (core === undefined) {
      const meant = didYouMean(
        name,
        cores.map((one) => one.name),
      );
      problems.push({
        code: "DP623",
        location: { file },
        what: `there is no [core ${shown(name)}]${meant === undefined ? "" : `; did you mean ${meant}?`}`,
        why: "a push names cores of the settings",
        fix: `name one of ${cores
          .slice(0, 20)
          .map((one) => one.name)
          .join(", ")}`,
      });
      return [];
    }
    const host = args.host ?? core.host;
    const place = content.place(`core ${name}.host`);
    if (host === "") {
      problems.push({
        code: "DP623",
        ...(place === undefined ? {} : { location: place }),
        what: `[core ${name}] has no host`,
        why: "push needs to know where the device is",
        fix: "add e.g. host = pi@core-1.local, or --host",
      });
    }
    if (args.only !== undefined && !hasFailed(outcomeOf(name))) {
      return [];
    }
    return [
      {
        core: name,
        host,
        place: args.host === undefined ? place : undefined,
        archive: `edge/out/${name}.tar.gz`,
      },
    ];
  });
  if (problems.length > 0) {
    throw new ProblemError(problems);
  }
  return targets;
}

/** A push that was cut has not ended well either. */
const hasFailed = (outcome: Outcome | undefined): boolean => outcome === "failed" || outcome === "begun";

/** What is pushed must be what the settings say now. */
async function mustBeFresh(session: Session, files: readonly string[]): Promise<void> {
  const graph = await session.graph(false);
  const stale = explain(session, graph, selectSteps(session.state, graph, files)).filter(
    ({ freshness }) => freshness !== "fresh",
  );
  if (stale.length === 0) {
    return;
  }
  throw new ProblemError(
    stale.slice(0, 5).map((one) => ({
      code: "DP624",
      place: { file: one.target },
      what: `is ${one.freshness}${one.reasons.length === 0 ? "" : `: ${reasonText(one.reasons[0]!)}`}`,
      why: "a device should get what the settings say now",
      fix: "dospesos build edge-installer, then push again",
    })),
  );
}

/**
 * Does the work for each target, at most `jobs` at the same time, with a line each; tells and gives what
 * failed.
 */
async function atTheSameTime(
  { args, screen, signal }: Run,
  targets: readonly Target[],
  work: (target: Target, tell: (what: string) => void) => Promise<void>,
): Promise<unknown[]> {
  const failures: unknown[] = [];
  const lines = jobLines(
    process.stderr,
    targets.map(({ core }) => core),
    screen.say,
  );
  const waiting = [...targets];
  const tell = ({ core, host }: Target, status: "running" | "done" | "failed", what: string): void => {
    if (args.json) {
      screen.answer(JSON.stringify({ type: "push", core, host, status, what }));
    } else if (status === "running") {
      lines.update(core, what);
    } else {
      lines.end(core, what);
    }
  };
  const worker = async (): Promise<void> => {
    for (let target = waiting.shift(); target !== undefined && !signal.aborted; target = waiting.shift()) {
      const current = target;
      try {
        await work(current, (what) => tell(current, "running", what));
        tell(
          current,
          "done",
          args.dryRun ? "looked at; nothing was changed" : "installed, its service is active",
        );
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        failures.push(error);
        const [first] = problemsFor(error);
        tell(current, "failed", `failed: ${first!.what.replace(`${current.core}: `, "")}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(args.jobs, targets.length) }, worker));
  for (const error of failures) {
    screen.problems(problemsFor(error));
  }
  return failures;
}

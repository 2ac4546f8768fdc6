import { archiveOf, bundleFolder } from "../layout.ts";
import type { Outcome } from "../device/push-record.ts";
import { didYouMean, ProblemError, shown, type Problem, type SourceLocation } from "../problem/index.ts";
import type { CoreSettings } from "../settings/index.ts";
import { hostFault } from "../settings/values.ts";
import type { OpenProject } from "./project.ts";

/** A device that gets a bundle. */
export interface PushTarget {
  readonly core: string;
  readonly host: string;
  /** Where the settings name the host. */
  readonly location: SourceLocation | undefined;
  readonly archive: string;
}

interface Wishes {
  /** In place of the host of the settings, for one core. */
  readonly host: string | undefined;
  /** Only those whose last push did not end well. */
  readonly only: "failed" | undefined;
}

/** Which cores, and where they are. Throws a ProblemError (exit 2) with all that is wrong. */
export function pushTargets(
  { settings, content, settingsFile: file }: OpenProject,
  names: readonly string[],
  { host: onlyHost, only }: Wishes,
  outcomeOf: (core: string) => Outcome | undefined,
): PushTarget[] {
  const cores: CoreSettings[] = [...settings.cores];
  const isPending = ({ name, host }: CoreSettings): boolean =>
    only === undefined ? host !== "" : hasFailed(outcomeOf(name));
  const named = names.length > 0 ? names : cores.filter(isPending).map(({ name }) => name);
  const problems = wrongHosts(named, onlyHost);
  if (named.length === 0 && only === undefined) {
    problems.push({
      code: "DP623",
      location: { file },
      what: "no core has a host",
      why: "push needs to know where the devices are",
      fix: "add host = [user@]host to [core NAME], or: dospesos push NAME --host [user@]host",
    });
  }
  const targets = [...new Set(named)].flatMap((name): PushTarget[] => {
    const core = cores.find((one) => one.name === name);
    if (core === undefined) {
      problems.push(unknownCore(name, cores, file));
      return [];
    }
    const host = onlyHost ?? core.host;
    const location = content.locationOf(`core ${name}.host`);
    if (host === "") {
      problems.push({
        code: "DP623",
        ...(location === undefined ? {} : { location }),
        what: `[core ${name}] has no host`,
        why: "push needs to know where the device is",
        fix: "add e.g. host = pi@core-1.local, or --host",
      });
    }
    if (only !== undefined && !hasFailed(outcomeOf(name))) {
      return [];
    }
    const archive = archiveOf(bundleFolder(name));
    return [{ core: name, host, location: onlyHost === undefined ? location : undefined, archive }];
  });
  if (problems.length > 0) {
    throw new ProblemError(problems);
  }
  return targets;
}

function wrongHosts(named: readonly string[], host: string | undefined): Problem[] {
  if (host === undefined) {
    return [];
  }
  const wrong = hostFault(host);
  return [
    ...(wrong === undefined
      ? []
      : [{ code: "DP202" as const, what: `--host: ${wrong}`, fix: "e.g. --host pi@core-1.local" }]),
    ...(named.length === 1
      ? []
      : [
          {
            code: "DP202" as const,
            what: "--host is for one core",
            fix: "name one core: dospesos push NAME --host [user@]host",
          },
        ]),
  ];
}

function unknownCore(name: string, cores: readonly CoreSettings[], file: string): Problem {
  const known = cores.map((core) => core.name);
  const meant = didYouMean(name, known);
  return {
    code: "DP623",
    location: { file },
    what: `there is no [core ${shown(name)}]${meant === undefined ? "" : `; did you mean ${meant}?`}`,
    why: "a push names cores of the settings",
    fix: `name one of ${known.slice(0, 20).join(", ")}`,
  };
}

/** A push that was interrupted has not ended well either. */
const hasFailed = (outcome: Outcome | undefined): boolean => outcome === "failed" || outcome === "begun";

import { existsSync } from "node:fs";
import { join } from "node:path";
import { archiveOf, bundleFolder } from "../layout.ts";
import type { PushRecord } from "../device/push-record.ts";
import { localFile } from "../device/push-task.ts";
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

export interface Wishes {
  /** In place of the host of the settings, for one core. */
  readonly host: string | undefined;
  /** Only those whose last push did not end well, or that do not have the present bundle. */
  readonly only: "failed" | "pending" | undefined;
  readonly group: string | undefined;
  readonly limit: number | undefined;
}

/** Which cores, and where they are. Throws a ProblemError (exit 2) with all that is wrong. */
export function pushTargets(
  { account: { root }, settings, content, settingsFile: file }: OpenProject,
  names: readonly string[],
  { host: onlyHost, only, group, limit }: Wishes,
  records: ReadonlyMap<string, PushRecord>,
): PushTarget[] {
  const cores = new Map([...settings.cores].map((core) => [core.name, core]));
  const isWanted = (core: CoreSettings): boolean => {
    const record = records.get(core.name);
    if (only === "failed") {
      return hasFailed(record);
    }
    return (only !== "pending" && limit === undefined) || !hasPresentBundle(root, core.name, record);
  };
  const all = [...cores.values()].filter(
    (core) => (group === undefined || core.group === group) && (only !== undefined || core.host !== ""),
  );
  const named = names.length > 0 ? [...new Set(names)] : all.filter(isWanted).map(({ name }) => name);
  const problems = wrongHosts(named, onlyHost);
  if (all.length === 0 && names.length === 0) {
    problems.push(noDevices(file, group));
  }
  const targets = named.flatMap((name): PushTarget[] => {
    const core = cores.get(name);
    if (core === undefined) {
      problems.push(unknownCore(name, [...cores.keys()], file));
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
    if (names.length > 0 && only !== undefined && !isWanted(core)) {
      return [];
    }
    const archive = archiveOf(bundleFolder(name));
    return [{ core: name, host, location: onlyHost === undefined ? location : undefined, archive }];
  });
  if (problems.length > 0) {
    throw new ProblemError(problems);
  }
  return limit === undefined ? targets : targets.slice(0, limit);
}

/** Whether the device has the bundle that is here now. */
export function hasPresentBundle(root: string, core: string, record: PushRecord | undefined): boolean {
  if (record?.outcome !== "done") {
    return false;
  }
  const archive = join(root, archiveOf(bundleFolder(core)));
  return existsSync(archive) && localFile(archive).sha256 === record.archive;
}

function noDevices(file: string, group: string | undefined): Problem {
  return {
    code: "DP623",
    location: { file },
    what: group === undefined ? "no core has a host" : `no core of the group ${shown(group)} has a host`,
    why: "push needs to know where the devices are",
    fix: "add host = [user@]host to [core NAME], or: dospesos push NAME --host [user@]host",
  };
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

function unknownCore(name: string, known: readonly string[], file: string): Problem {
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
function hasFailed(record: PushRecord | undefined): boolean {
  return record?.outcome === "failed" || record?.outcome === "begun";
}

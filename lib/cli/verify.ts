import { settingsOf } from "../account/modules.ts";
import { appliedEffects, forgetMarker } from "../account/teardown.ts";
import { explain, selectSteps, type Drift, type Marker } from "../engine/index.ts";
import { ProblemError } from "../problem/index.ts";
import type { Run } from "./run.ts";

/** An applied effect whose marker is fresh, and how the account differs from it. */
export interface Verified {
  readonly marker: Marker;
  readonly drift: readonly Drift[];
}

/**
 * Asks the account about every applied effect that can be verified, that the targets need and whose marker is
 * fresh; what is stale is planned by the next build anyway. Reports each difference.
 * @throws ProblemError: exit 2 where nothing was applied by Terraform; else as plans do.
 */
export async function verify({ args, root, screen, signal, open }: Run): Promise<Verified[]> {
  const session = open();
  const graph = await session.graph(false);
  const settings = settingsOf(session.observer.settings, session.observer.settingsFile);
  if (!settings.usesTerraform) {
    throw new ProblemError([
      {
        code: "DP207",
        location: { file: "settings.ini" },
        what: "--verify asks Terraform, which does not apply the modules to this sandbox",
        fix: "set [sandbox] terraform = on, or leave --verify out",
      },
    ]);
  }
  const fresh = new Set(
    explain(session, graph, selectSteps(session.state, graph, args.targets))
      .filter(({ freshness }) => freshness === "fresh")
      .map(({ target }) => target),
  );
  const context = { root, settings, signal, note: (what: string) => screen.emit({ type: "note", what }) };
  const applied = (await appliedEffects(session, context)).filter(
    ({ marker, end }) => fresh.has(marker.file) && end.verify !== undefined,
  );
  const verified = await inParallel(args.jobs, applied, async ({ marker, end }): Promise<Verified> => {
    return { marker, drift: (await end.verify?.(marker, context)) ?? [] };
  });
  for (const { marker, drift } of verified) {
    for (const { address, what } of drift) {
      screen.emit({ type: "note", what: `drift: ${marker.effect}: ${address} ${what}` });
    }
  }
  const differ = verified.filter(({ drift }) => drift.length > 0).length;
  screen.say(`${verified.length} applied effects compared with the account, ${differ} differ`);
  return verified;
}

/**
 * A marker that no longer says what there is goes, so that the build that follows plans and applies its effect
 * anew.
 */
export function forgetDrifted(root: string, verified: readonly Verified[]): void {
  for (const { marker, drift } of verified) {
    if (drift.length > 0) {
      forgetMarker(root, marker);
    }
  }
}

/**
 * The results of the tasks, at most `limit` at a time. The first failure ends it when those under way have
 * ended.
 */
export async function inParallel<T, R>(
  limit: number,
  tasks: readonly T[],
  run: (task: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (next < tasks.length && !failed) {
      const at = next++;
      try {
        results[at] = await run(tasks[at]!);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(limit, tasks.length) }, worker));
  for (const end of ends) {
    if (end.status === "rejected") {
      throw end.reason;
    }
  }
  return results;
}

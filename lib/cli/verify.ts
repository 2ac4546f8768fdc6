import { rmSync } from "node:fs";
import { join } from "node:path";
import { declaredModules, moduleWork, settingsOf } from "../account/modules.ts";
import { withTerraform } from "../account/terraform-effect.ts";
import { explain, selectSteps } from "../engine/index.ts";
import { ProblemError } from "../problem/index.ts";
import type { Drift } from "../terraform/verify.ts";
import type { Run } from "./run.ts";

/** A module whose marker is fresh, and how the account differs from it. */
export interface Verified {
  readonly name: string;
  readonly marker: string;
  readonly drift: readonly Drift[];
}

/**
 * Asks the account about every applied module that the targets need and that is fresh; what is stale is
 * planned by the next build anyway. Tells each difference.
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
  const modules = declaredModules(session, graph).filter(({ marker }) => fresh.has(marker));
  const { driftOf } = await import("../terraform/verify.ts");
  const context = { root, settings, signal, note: (what: string) => screen.emit({ type: "note", what }) };
  const verified = await withTerraform(context, (terraform) =>
    inParallel(args.jobs, modules, async ({ module, name, marker }): Promise<Verified> => {
      const work = moduleWork(root, settings, module, name);
      return {
        name: `${module} ${name}`,
        marker,
        drift: work === undefined ? [] : await driftOf(terraform, work),
      };
    }),
  );
  for (const { name, drift } of verified) {
    for (const { address, what } of drift) {
      screen.emit({ type: "note", what: `drift: ${name}: ${address} ${what}` });
    }
  }
  screen.say(
    `${verified.length} modules compared with the account, ${verified.filter(({ drift }) => drift.length > 0).length} differ`,
  );
  return verified;
}

/**
 * A marker that no longer says what there is goes, so that the build that follows plans and applies the
 * module anew.
 */
export function forgetDrifted(root: string, verified: readonly Verified[]): void {
  for (const { marker, drift } of verified) {
    if (drift.length > 0) {
      rmSync(join(root, marker), { force: true });
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

import { appliedEffects, forgetMarker } from "../account/teardown.ts";
import { explain, selectSteps, type Drift, type Marker } from "../engine/index.ts";
import { inParallel } from "../parallel.ts";
import { ProblemError } from "../problem/index.ts";
import type { CommandContext } from "./command.ts";
import { openProject } from "./project.ts";

/** An applied effect whose marker is fresh, and how the account differs from it. */
export interface Verified {
  readonly marker: Marker;
  readonly drift: readonly Drift[];
}

/**
 * Asks the account about every applied effect that can be verified, that the targets need and whose marker is
 * fresh, at most `limit` at a time; what is stale is planned by the next build anyway. Reports each difference.
 * @throws ProblemError: exit 2 where nothing was applied by Terraform; else as plans do.
 */
export async function verify(context: CommandContext, limit: number): Promise<Verified[]> {
  const { names, emit } = context;
  const { session, settings, settingsFile, account } = openProject(context);
  const graph = await session.graph(false);
  if (!settings.usesTerraform) {
    throw new ProblemError([
      {
        code: "DP207",
        location: { file: settingsFile },
        what: "--verify asks Terraform, which does not apply the modules to this sandbox",
        fix: "set [sandbox] terraform = on, or leave --verify out",
      },
    ]);
  }
  const fresh = new Set(
    explain(session, graph, selectSteps(session.state, graph, names))
      .filter(({ freshness }) => freshness === "fresh")
      .map(({ target }) => target),
  );
  const applied = (await appliedEffects(session, account)).filter(
    ({ marker, end }) => fresh.has(marker.file) && end.verify !== undefined,
  );
  const verified = await inParallel(limit, applied, async ({ marker, end }): Promise<Verified> => {
    return { marker, drift: (await end.verify?.(marker, account)) ?? [] };
  });
  for (const { marker, drift } of verified) {
    for (const { address, what } of drift) {
      emit({ type: "drift", effect: marker.effect, address, what });
    }
  }
  const drifted = verified.filter(({ drift }) => drift.length > 0).length;
  emit({ type: "verify-summary", compared: verified.length, drifted });
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

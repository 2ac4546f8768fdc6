import * as assert from "uvu/assert";
import type { Explanation, Freshness, Reason, Summary } from "../../lib/engine/index.ts";
import type { Problem } from "../../lib/problem/index.ts";
import { dospesos, type Ended } from "./bin.ts";

/**
 * What `why`, `status` and `--dry-run` tell right before a build: one explanation a step, or what keeps them
 * from telling.
 */
export interface Told {
  readonly explanations: readonly Explanation[];
  readonly problems: readonly Problem[];
  /** What the nothing-to-do path says. */
  readonly nothingToDo: boolean;
}

/** What the build then did. */
export interface Did {
  readonly ran: readonly string[];
  readonly fresh: readonly string[];
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  readonly reasons: Readonly<Record<string, readonly Reason[]>>;
  readonly problems: readonly Problem[];
  /** Undefined if the build stopped before any step could run. */
  readonly summary: Summary | undefined;
}

/**
 * Fails where a build did not do what was reported right before it. `changing`: steps that nobody can tell of
 * before the build, since what they are made from changes while it runs; of these only that they are reported of
 * is compared.
 */
export function didWhatWasTold(told: Told, did: Did, changing: readonly string[] = []): void {
  if (told.problems.length > 0 || did.summary === undefined) {
    assert.equal(
      codes(did.problems),
      codes(told.problems),
      "what stops the build before any step also stops the explanation, and the other way round",
    );
    return;
  }
  const { ran, fresh, failed, skipped } = did;
  assert.equal(
    told.explanations.map((one) => one.target).sort(),
    [...ran, ...fresh, ...failed, ...skipped].sort(),
    "the build tells of the steps that were explained, and of each once",
  );
  if (told.nothingToDo) {
    assert.equal(
      told.explanations.filter((one) => one.freshness !== "fresh").map((one) => one.target),
      [],
      "where the nothing-to-do path says yes all is fresh",
    );
  }
  for (const { target, freshness, reasons } of told.explanations) {
    if (changing.includes(target)) {
      continue;
    }
    const shown = `${target} was reported to be ${freshness} ${JSON.stringify(reasons)}; the build: ${JSON.stringify(did.reasons[target])}`;
    if (freshness === "fresh") {
      assert.ok(fresh.includes(target), shown);
    }
    if (freshness !== "stale") {
      continue;
    }
    // Skipped is what a failure keeps from running, or a person; without either every stale step runs.
    const stopped = failed.length > 0 || did.summary.needsPerson > 0;
    assert.ok(
      ran.includes(target) || failed.includes(target) || (stopped && skipped.includes(target)),
      shown,
    );
    if (!skipped.includes(target)) {
      for (const reason of reasons) {
        assert.ok(
          did.reasons[target]!.some((one) => JSON.stringify(one) === JSON.stringify(reason)),
          shown,
        );
      }
    }
  }
}

function codes(problems: readonly Problem[]): string[] {
  return problems.map((problem) => problem.code).sort();
}

interface Line {
  readonly type: string;
  readonly target: string;
  readonly status: string;
  readonly reasons: readonly Reason[];
}

/**
 * The same with real processes: `status --json`, then `build --json`, which must exit 0 and do what was reported.
 * Returns what ran.
 */
export function buildAsTold(root: string, ...words: string[]): string[] {
  const status = lines(dospesos(root, "status", "--json"), 0, 1);
  const build = lines(dospesos(root, "build", "--json", ...words), 0);
  const explanations = status
    .filter((line) => line.type === "status")
    .map((line) => ({ ...line, step: 0, freshness: line.status as Freshness }));
  const steps = build.filter((line) => line.type === "step");
  const named = (wanted: string): string[] =>
    steps
      .filter((line) => line.status === wanted)
      .map((line) => line.target)
      .sort();
  const summary: Summary = {
    ran: named("ran").length,
    fresh: named("fresh").length,
    failed: 0,
    skipped: 0,
    needsPerson: 0,
    exit: 0,
  };
  const did: Did = {
    ran: named("ran"),
    fresh: named("fresh"),
    failed: named("failed"),
    skipped: named("skipped"),
    reasons: Object.fromEntries(steps.map((line) => [line.target, line.reasons])),
    problems: [],
    summary,
  };
  didWhatWasTold({ explanations, problems: [], nothingToDo: false }, did);
  return [...did.ran];
}

function lines({ exit, stdout, stderr }: Ended, ...exits: number[]): Line[] {
  assert.ok(exits.includes(exit ?? -1), `exit ${exit}: ${stderr}`);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

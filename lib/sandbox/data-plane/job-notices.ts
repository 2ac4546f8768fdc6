import type { Region } from "../account.ts";
import type { Changes } from "../account-text.ts";
import { jobExecution, nextJob, pendingJobs, summaryOf } from "../greengrass/jobs.ts";
import { pairOf } from "../table.ts";
import { NAMESPACE } from "./jobs.ts";
import type { Note } from "./messages.ts";
import { deploymentShadows } from "./thing-deployments.ts";

/**
 * What IoT Jobs tells a thing by itself, when asked after each change of the account: `notify` when a job comes or
 * goes, `notify-next` when another one is next (https://docs.aws.amazon.com/iot/latest/developerguide/
 * jobs-comm-notifications.html). What is pending at the beginning is not news: a core asks when it connects.
 */
export function jobNotices(region: Region): (now: number, changes: Changes) => Note[] {
  const before = new Map<string, { pending: string; next: string }>();
  const look = (now: number, cores: Iterable<string>): Note[] =>
    [...cores].flatMap((core) => {
      const pending = pendingJobs(region, core);
      const next = nextJob(region, core);
      const key = (job: typeof next): string => `${job?.deployment.job} ${job?.execution.createdAt}`;
      const state = { pending: pending.map(key).join(), next: key(next) };
      const old = before.get(core) ?? { pending: "", next: key(undefined) };
      before.set(core, state);
      const topic = `$aws/things/${core}/jobs/notify`;
      const timestamp = Math.floor(now);
      const jobs = Object.fromEntries(
        ["IN_PROGRESS", "QUEUED"].flatMap((status) => {
          const of = pending.filter(({ execution }) => execution.status === status);
          return of.length === 0 ? [] : [[status, of.map(summaryOf)]];
        }),
      ) as object;
      const notices: Note[] = [];
      if (state.pending !== old.pending) {
        notices.push({ topic: `${topic}-${NAMESPACE}`, document: { timestamp, jobs } });
      }
      if (state.next !== old.next) {
        const execution = next === undefined ? {} : { execution: jobExecution(region, next) };
        notices.push({ topic: `${topic}-next-${NAMESPACE}`, document: { timestamp, ...execution } });
      }
      return notices;
    });
  look(0, coresIn(region.executions.keys()));
  const shadows = deploymentShadows(region);
  return (now, changes) => {
    const executions = changes.get(region.executions.name) ?? [];
    return [...look(now, coresIn(executions.map(([key]) => key))), ...shadows(now, changes)];
  };
}

function coresIn(keys: Iterable<string>): Set<string> {
  return new Set([...keys].map((key) => pairOf(key)[1]));
}

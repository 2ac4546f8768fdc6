import type { PushRecord } from "../device/push-record.ts";
import type { PushState } from "../ui/events/index.ts";
import type { CommandContext } from "./command.ts";
import type { OpenProject } from "./project.ts";
import { hasPresentBundle } from "./push-targets.ts";

/** Reports which device has which bundle; exit 0 if all have the present one. */
export function reportPushes(
  {
    emit,
    names,
    options,
  }: Pick<CommandContext, "emit" | "names"> & { readonly options: { readonly group: string | undefined } },
  { account: { root }, settings }: OpenProject,
  records: ReadonlyMap<string, PushRecord>,
): number {
  const counts = { current: 0, older: 0, failed: 0, never: 0 };
  for (const { name, group, host } of settings.cores) {
    const isNamed = names.length === 0 ? host !== "" || records.has(name) : names.includes(name);
    if (!isNamed || (options.group !== undefined && options.group !== group)) {
      continue;
    }
    const record = records.get(name);
    const state = stateOf(root, name, record);
    counts[state]++;
    emit({
      type: "push-state",
      core: name,
      group,
      host,
      state,
      ...(record === undefined ? {} : { at: record.at }),
      ...(record?.why === undefined ? {} : { why: record.why }),
    });
  }
  emit({ type: "push-state-summary", ...counts });
  return counts.older + counts.failed + counts.never === 0 ? 0 : 1;
}

function stateOf(root: string, core: string, record: PushRecord | undefined): PushState["state"] {
  if (record === undefined) {
    return "never";
  }
  if (record.outcome !== "done") {
    return "failed";
  }
  return hasPresentBundle(root, core, record) ? "current" : "older";
}

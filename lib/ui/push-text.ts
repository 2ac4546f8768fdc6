import type { Push, PushState, PushStateSummary, PushSummary } from "./events/index.ts";
import { styled, type Line } from "./terminal.ts";

const stateStyles = { current: "green", older: "yellow", failed: "red", never: "yellow" } as const;

/** What a person reads of pushes. */
export const pushTexts = {
  "push-begin": (): { lines?: Line[] } => ({}),
  push: ({ core, what }: Push): { lines: Line[] } => ({ lines: [[`${core}  ${what}`]] }),
  "push-summary": ({ done, failed, left }: PushSummary): { lines?: Line[] } => {
    if (done + failed + left === 0) {
      return { lines: [["nothing to push"]] };
    }
    if (done + failed + left === 1) {
      return {};
    }
    const parts = [`${done} done`, `${failed} failed`, ...(left > 0 ? [`${left} not begun`] : [])];
    const next = [
      ...(failed > 0 ? ["dospesos push --only failed"] : []),
      ...(left > 0 ? ["dospesos push --only pending"] : []),
    ];
    return { lines: [[`${parts.join(", ")}${next.length === 0 ? "" : `: ${next.join(", or ")}`}`]] };
  },
  "push-state": ({ core, group, host, state, at, why }: PushState): { answer: Line[] } => ({
    answer: [
      [
        styled(stateStyles[state], state.padEnd(8)),
        `${core}  ${group}  ${host}`,
        styled("dim", at === undefined ? "" : `  ${new Date(at).toISOString()}`),
        why === undefined ? "" : `  ${why}`,
      ],
    ],
  }),
  "push-state-summary": ({ current, older, failed, never }: PushStateSummary): { lines: Line[] } => ({
    lines: [
      [
        `${current} have the present bundle, ${older} an older one, ${failed} failed, ${never} were never pushed`,
      ],
    ],
  }),
};

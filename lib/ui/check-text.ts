import type { Checked, CheckSkipped, CheckSummary } from "./events/index.ts";
import type { Line } from "./terminal.ts";

const linkWords = { ok: "ok", broken: "BROKEN", unchecked: "not checked" } as const;
const WIDTH = Math.max(...Object.values(linkWords).map((word) => word.length));

/** What a person reads of a check. */
export const checkTexts = {
  check: ({ kind, name, links, brief }: Checked): { answer?: Line[] } =>
    brief === true
      ? {}
      : {
          answer: [
            [`${kind} ${name}`],
            ...links.flatMap(({ link, state, what, cause, fix }): Line[] => [
              [`  ${linkWords[state].padEnd(WIDTH)}  ${link.padEnd(24)}  ${what}`],
              ...(cause === undefined ? [] : [[`               cause: ${cause}`]]),
              ...(fix === undefined ? [] : [[`               fix: ${fix}`]]),
            ]),
          ],
        },
  "check-skipped": ({ kind, name }: CheckSkipped): { answer: Line[] } => ({
    answer: [[`${kind} ${name}`], ["  not checked: its core comes first"]],
  }),
  "check-summary": ({
    passed,
    cores,
    brokenCores,
    things,
    brokenThings,
    skipped,
  }: CheckSummary): { lines: Line[] } => {
    const counts = [
      `${cores} cores ok`,
      ...(brokenCores > 0 ? [`${brokenCores} broken`] : []),
      `${things} things ok`,
      ...(brokenThings > 0 ? [`${brokenThings} broken`] : []),
      ...(skipped > 0 ? [`${skipped} not checked`] : []),
    ];
    const all = cores + brokenCores + things + brokenThings + skipped;
    const sum = all > 2 ? `: ${counts.join(", ")}` : "";
    return { lines: [[passed ? `all checks passed${sum}` : `broken: see the cause above${sum}`]] };
  },
};

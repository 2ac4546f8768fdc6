import { locationText } from "../problem/index.ts";
import type { Setting, SettingDifference, SettingDifferences } from "./events/index.ts";
import { styled, type Line } from "./terminal.ts";

/** What a person reads of the settings. */
export const settingTexts = {
  setting: ({ key, value, location }: Setting): { answer: Line[] } => ({
    answer: [
      [`${key} = ${value ?? ""}`, styled("dim", location === undefined ? "" : `  ${locationText(location)}`)],
    ],
  }),

  "setting-difference": ({ key, values }: SettingDifference): { answer: Line[] } => {
    const width = Math.max(...Object.keys(values).map((name) => name.length));
    return {
      answer: [
        [key],
        ...Object.entries(values).map(([name, value]) => [`  ${name.padEnd(width)}  ${value ?? "-"}`]),
      ],
    };
  },

  "setting-differences": ({ environments }: SettingDifferences): { lines: Line[] } => ({
    lines: [[`environments: ${environments.join(", ")}`]],
  }),
};

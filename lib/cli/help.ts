import type { Command } from "./command.ts";
import { commands } from "./commands/index.ts";
import { COMMON_OPTIONS, kebab, type Flag, type Options, type ValueOption } from "./options.ts";

/** The help of all commands: `dospesos help`. */
export function generalHelp(): string {
  const rows = Object.entries(commands).map(
    ([name, { takes, summary }]) => [`${name} ${takes}`.trim(), summary] as const,
  );
  return [
    "dospesos — Greengrass edge devices out of one settings.ini, built step by step",
    "",
    "usage: dospesos COMMAND [NAME…] [options]",
    "",
    ...table(rows),
    "",
    ...optionRows(COMMON_OPTIONS),
    "      --version",
    "",
    "dospesos help COMMAND shows the options, examples and exit codes of one command.",
    "exit: 0 done · 1 a step failed, something is stale or broken · 2 settings, Dofile or usage",
    "      3 locked · 4 needs a person · 129, 130, 143 interrupted",
  ].join("\n");
}

/** The help of one command: `dospesos help COMMAND`, `dospesos COMMAND --help`. */
export function commandHelp(name: string, { options, exits, examples }: Command): string {
  const { takes, summary } = commands[name]!;
  const own = optionRows(options);
  return [
    `usage: dospesos ${[name, takes].filter((word) => word !== "").join(" ")} [options]`,
    "",
    `${summary[0]!.toUpperCase()}${summary.slice(1)}.`,
    "",
    ...(own.length === 0 ? [] : ["options:", ...own, ""]),
    "options of every command:",
    ...optionRows(COMMON_OPTIONS),
    "",
    "examples:",
    ...examples.map((example) => `  npx dospesos ${example}`),
    "",
    "exit codes:",
    ...Object.entries({ ...exits, 2: "settings, Dofile or usage", "129, 130, 143": "interrupted" }).map(
      ([code, meaning]) => `  ${code}  ${meaning}`,
    ),
  ].join("\n");
}

function optionRows(options: Options): string[] {
  return table(
    Object.entries(options).map(([key, option]) => [optionText(key, option), option.help] as const),
  );
}

function optionText(key: string, option: Flag | ValueOption<unknown>): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  return `${short}--${kebab(key)}${option.type === "string" ? ` ${option.placeholder}` : ""}`;
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

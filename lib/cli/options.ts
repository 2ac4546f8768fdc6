import { isIP } from "node:net";
import { availableParallelism } from "node:os";
import { shown } from "../problem/index.ts";

/** An option without a value. Its name on the command line is its key in kebab case. */
export interface Flag {
  readonly type: "boolean";
  readonly short?: string;
  readonly help: string;
}

/** An option with a value. */
export interface ValueOption<T> {
  readonly type: "string";
  readonly short?: string;
  /** What stands for the value in the help, e.g. "N". */
  readonly placeholder: string;
  readonly help: string;
  readonly default: T;
  /** The value, or what is wrong with the text: one clause that follows the option's name. */
  readonly parse: (text: string) => { readonly value: T } | { readonly wrong: string };
}

export type Options = Readonly<Record<string, Flag | ValueOption<unknown>>>;

/** What a command gets of its options. */
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends ValueOption<infer T>
    ? T
    : O[K] extends Flag
      ? boolean
      : // Of a command whose options are not known.
        unknown;
};

/** Options of every command. */
export const COMMON_OPTIONS = {
  json: { type: "boolean", help: "one event a line on stdout (docs/events.md)" },
  color: { type: "boolean", help: "colors also where there is no terminal" },
  noColor: { type: "boolean", help: "no colors" },
  directory: text("DIR", "work in DIR", { short: "C" }),
  env: text("NAME", "the environment: settings.NAME.ini over settings.ini (or DOSPESOS_ENV)", { short: "e" }),
  help: { type: "boolean", short: "h", help: "show the help of the command" },
} as const satisfies Options;

/** Options that several commands share. */
export const dryRun: Flag = {
  type: "boolean",
  short: "n",
  help: "show what would be done, and do nothing",
};
export const keepGoing: Flag = {
  type: "boolean",
  short: "k",
  help: "after a failure make whatever does not need the failed target",
};
export const force: Flag = { type: "boolean", help: "run the steps even if they are fresh" };
export const yes: Flag = { type: "boolean", help: "consent to the changes of this run" };
export const noWait: Flag = {
  type: "boolean",
  help: "do not wait while another run works in the folder (exit 3)",
};
export const planOut = text("FILE", "write what would change in the account, and apply nothing");
export const plan = text("FILE", "apply exactly what --plan-out wrote, or refuse");
export const verify: Flag = {
  type: "boolean",
  help: "ask the account whether what was applied is still there",
};
export const jobs: ValueOption<number> = {
  type: "string",
  short: "j",
  placeholder: "N",
  help: "at most N at the same time (default: one per processor)",
  default: availableParallelism(),
  parse: (given) => {
    const value = Number(given);
    return Number.isInteger(value) && value >= 1 && value <= 1024
      ? { value }
      : { wrong: `takes a number from 1 to 1024, not ${shown(given)}` };
  },
};

export const bind: ValueOption<string | undefined> = {
  type: "string",
  placeholder: "ADDRESS",
  help: "let devices on a bench network reach the sandbox at this address of this machine, too",
  default: undefined,
  parse: (given) =>
    isIP(given) === 0
      ? { wrong: `takes an IP address of this machine, not ${shown(given)}` }
      : { value: given },
};

/** An option that takes a whole number from 1 on. */
export function count(help: string): ValueOption<number | undefined> {
  return {
    type: "string",
    placeholder: "N",
    help,
    default: undefined,
    parse: (given) => {
      const value = Number(given);
      return /^\d{1,6}$/.test(given) && value >= 1
        ? { value }
        : { wrong: `takes a number from 1 on, not ${shown(given)}` };
    },
  };
}

/** An option that takes any text. */
export function text(
  placeholder: string,
  help: string,
  { short }: { readonly short?: string } = {},
): ValueOption<string | undefined> {
  return {
    type: "string",
    placeholder,
    help,
    default: undefined,
    parse: (value) => ({ value }),
    ...(short === undefined ? {} : { short }),
  };
}

/** "sandboxOk" as it is typed: "sandbox-ok". */
export function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

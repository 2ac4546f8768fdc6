import { parseArgs } from "node:util";
import { didYouMean, ProblemError, shown } from "../problem/index.ts";
import type { Command } from "./command.ts";
import { commands } from "./commands/index.ts";
import {
  COMMON_OPTIONS,
  kebab,
  type Flag,
  type Options,
  type OptionValues,
  type ValueOption,
} from "./options.ts";

/** A command line that was understood. */
export type Arguments =
  | { readonly kind: "help"; readonly name: string | undefined; readonly command: Command | undefined }
  | { readonly kind: "version" }
  | {
      readonly kind: "command";
      readonly name: string;
      readonly command: Command;
      readonly names: readonly string[];
      readonly options: OptionValues<Options>;
      readonly common: OptionValues<typeof COMMON_OPTIONS>;
    };

/**
 * What was asked for. Throws a ProblemError (exit 2) with everything that is wrong with the words.
 */
export async function parseArguments(words: readonly string[]): Promise<Arguments> {
  if (words.length === 0) {
    return { kind: "help", name: undefined, command: undefined };
  }
  const first = await commandWords(words);
  const [name = "", ...names] = first.positionals;
  const isHelp = name === "help" || first.given.has("help");
  if (name === "" && first.given.has("version")) {
    return { kind: "version" };
  }
  const wanted = name === "help" ? (names[0] ?? "") : name;
  if (isHelp && wanted === "") {
    return { kind: "help", name: undefined, command: undefined };
  }
  const entry = Object.hasOwn(commands, wanted) ? commands[wanted] : undefined;
  if (entry === undefined) {
    throw usage([noCommand(wanted)]);
  }
  const command = await entry.load();
  if (isHelp) {
    return { kind: "help", name: wanted, command };
  }
  return parsed(name, command, words);
}

/**
 * The words that are no options. Options may are in front of the command: which of them take a value, in the
 * worst case only all commands together know.
 */
async function commandWords(words: readonly string[]): Promise<Scanned> {
  const first = scan(words, COMMON_OPTIONS);
  const [name] = first.positionals;
  if (name === undefined || name === "help" || Object.hasOwn(commands, name)) {
    return first;
  }
  const all = await Promise.all(Object.values(commands).map(async ({ load }) => (await load()).options));
  return scan(words, Object.assign({}, ...all, COMMON_OPTIONS) as Options);
}

function noCommand(name: string): string {
  if (name === "") {
    return "no command was given";
  }
  const meant = didYouMean(name, Object.keys(commands));
  return `${shown(name)} is not a command${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

interface Scanned {
  readonly positionals: readonly string[];
  readonly tokens: readonly {
    readonly name: string;
    readonly rawName: string;
    readonly value: string | undefined;
  }[];
  /** The options that were given, as they are typed. */
  readonly given: ReadonlySet<string>;
}

function scan(words: readonly string[], options: Options): Scanned {
  const known = Object.entries(options).map(
    ([key, { type, short }]) => [kebab(key), short === undefined ? { type } : { type, short }] as const,
  );
  const { positionals, tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(known),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const found = tokens.filter((token) => token.kind === "option");
  return {
    positionals,
    tokens: found.map(({ name, rawName, value }) => ({ name, rawName, value })),
    given: new Set(found.map(({ name }) => name)),
  };
}

function parsed(name: string, command: Command, words: readonly string[]): Arguments {
  const options: Options = { ...command.options, ...COMMON_OPTIONS };
  const mapIsolated = new Map(Object.entries(options).map(([key, option]) => [kebab(key), { key, option }]));
  const { positionals, tokens } = scan(words, options);
  const names = positionals.slice(1);
  const { takes } = commands[name]!;
  const wrong: string[] = [];
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(options).map(([key, option]) => [key, option.type === "boolean" ? false : option.default]),
  );
  for (const token of tokens) {
    const known = mapIsolated.get(token.name);
    if (known === undefined) {
      const meant = didYouMean(token.name, [...mapIsolated.keys()]);
      wrong.push(
        `${shown(token.rawName).slice(1, -1)} is not an option of ${name}${meant === undefined ? "" : `; did you mean --${meant}?`}`,
      );
      continue;
    }
    const result = valueOf(known.option, token.value);
    if ("wrong" in result) {
      wrong.push(`${token.rawName} ${result.wrong}`);
    } else {
      values[known.key] = result.value;
    }
  }
  if (command.needsName === true && names.length === 0) {
    wrong.push(`${name} needs ${takes}: dospesos list shows what can be named`);
  }
  if (takes === "" && names.length > 0) {
    wrong.push(`${name} takes no ${shown(names[0]!)}: it takes options only`);
  }
  if (wrong.length > 0) {
    throw usage(wrong, name);
  }
  return {
    kind: "command",
    name,
    command,
    names,
    options: values,
    common: values as OptionValues<typeof COMMON_OPTIONS>,
  };
}

function valueOf(
  option: Flag | ValueOption<unknown>,
  given: string | undefined,
): { readonly value: unknown } | { readonly wrong: string } {
  if (option.type === "boolean") {
    return given === undefined ? { value: true } : { wrong: "takes no value" };
  }
  return given === undefined ? { wrong: `needs a value: ${option.placeholder}` } : option.parse(given);
}

function usage(wrong: readonly string[], name?: string): ProblemError {
  const fix = `dospesos help${name === undefined ? "" : ` ${name}`} shows ${name === undefined ? "the commands" : "its options"}`;
  return new ProblemError(wrong.map((what) => ({ code: "DP202", what, fix })));
}

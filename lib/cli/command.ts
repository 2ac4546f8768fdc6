import { closeAccounts } from "../account/open-accounts.ts";
import type { Lock, Session } from "../engine/index.ts";
import type { Screen } from "../ui/screen.ts";
import type { Options, OptionValues } from "./options.ts";

/** What every command gets. */
export interface CommandContext<O extends Options = Options> {
  readonly options: OptionValues<O>;
  /** The names on the command line: targets, cores, things. */
  readonly names: readonly string[];
  readonly json: boolean;
  readonly root: string;
  readonly emit: Screen;
  readonly signal: AbortSignal;
  /** Opens the project; its banner shows from now on. */
  open: () => Session;
  /**
   * Takes the project's lock: nobody else builds or applies as long as it is held. Without `wait` it is a
   * ProblemError (exit 3) that another process has it.
   */
  acquire: (wait?: boolean) => Promise<Lock>;
}

/** A command: everything that the help, the parser and the frame need to know of it. */
export interface CommandSpec<O extends Options> {
  /** It is wrong to name nothing. */
  readonly needsName?: boolean;
  readonly options: O;
  /** What the exit codes mean that are special to it, besides 0, 2 (usage) and signals. */
  readonly exits: Readonly<Record<number, string>>;
  readonly examples: readonly string[];
  /** Whether it runs under the project's lock; it waits for it unless it has the option noWait and that is given. */
  readonly locks: boolean | ((options: OptionValues<O>) => boolean);
  /** Gives the exit code. */
  readonly run: (context: CommandContext<O>) => Promise<number>;
}

/** A command whatever its options are. */
export type Command = CommandSpec<Options>;

/** Declares a command: its options give the types of what `run` gets. */
export function command<const O extends Options>(spec: CommandSpec<O>): Command {
  return spec as unknown as Command;
}

/** Runs something under the project's lock. */
export async function locked<T>(
  context: { readonly acquire: (wait?: boolean) => Promise<Lock> },
  body: () => Promise<T>,
  wait?: boolean,
): Promise<T> {
  const lock = await context.acquire(wait);
  try {
    return await body();
  } finally {
    try {
      await closeAccounts();
    } finally {
      lock.release();
    }
  }
}

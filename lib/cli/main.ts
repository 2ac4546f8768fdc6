import { statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { closeAccounts } from "../account/open-accounts.ts";
import { acquireLock, Session } from "../engine/index.ts";
import { keepsModes } from "../file/index.ts";
import { ENVIRONMENT_NAME, environmentName } from "../layout.ts";
import { ProblemError, shown } from "../problem/index.ts";
import { palette } from "../ui/palette.ts";
import { jsonScreen, reportProblems, textScreen, type Screen } from "../ui/screen.ts";
import { parseArguments, type Arguments } from "./arguments.ts";
import { locked, type Command, type CommandContext } from "./command.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { projectHost } from "./host.ts";
import { problemsFor } from "./problems.ts";
import { findRoot, type CompiledProgram } from "./root.ts";
import { onSignals } from "./signals.ts";
import { watchStreams } from "./streams.ts";

/** Runs one command line and sets the exit code of the process. */
export async function main(words: readonly string[], program: CompiledProgram): Promise<void> {
  const begin = performance.now();
  const signals = onSignals();
  const exitWith = watchStreams();
  const isJson = words.includes("--json");
  let emit: Screen = screenFor(isJson, undefined, () => "", signals.signal);
  let name = "";
  let exit: number;
  try {
    const args = await parseArguments(words);
    chooseEnvironment(args.kind === "command" ? args.common.env : undefined);
    name = args.kind === "command" ? args.name : args.kind;
    let session: Session | undefined;
    const color = args.kind === "command" ? colorWish(args.common) : undefined;
    emit = screenFor(isJson, color, () => session?.state.banner ?? "", signals.signal);
    exit =
      args.kind === "command"
        ? await run(args, words, emit, signals.signal, (root, dofile) => {
            const api = pathToFileURL(`${program.folder}/index.js`).href;
            return (session = new Session(root, projectHost({ api, digest: program.digest }, dofile)));
          })
        : await inform(args, program, emit);
  } catch (error) {
    if (!signals.signal.aborted) {
      reportProblems(emit, problemsFor(error));
    }
    exit = new ProblemError(problemsFor(error)).exitCode;
  } finally {
    signals.stop();
  }
  const ms = Math.round(performance.now() - begin);
  process.exitCode = signals.exitCode ?? exitWith(exit);
  emit({ type: "exit", command: name, exit: process.exitCode, ms });
  signals.leaveClosedTerminal();
}

/** Everything that names a place asks the process for its environment. Throws a ProblemError (exit 2). */
function chooseEnvironment(given: string | undefined): void {
  const name = given ?? environmentName();
  if (name !== "" && !ENVIRONMENT_NAME.test(name)) {
    throw new ProblemError([
      {
        code: "DP202",
        what: `${shown(name)} cannot be the name of an environment`,
        why: "it becomes a part of paths, as settings.prod.ini and edge/out/prod",
        fix: "use a-z 0-9 -, at most 32 of them, e.g. -e prod",
      },
    ]);
  }
  process.env["DOSPESOS_ENV"] = name;
}

type CommandLine = Extract<Arguments, { kind: "command" }>;

/** The frame of every command: its project, its lock, its context. */
async function run(
  { command, options, names, common }: CommandLine,
  words: readonly string[],
  emit: Screen,
  signal: AbortSignal,
  openSession: (root: string, dofile: string) => Session,
): Promise<number> {
  const { root, dofile } = findRoot(common.directory);
  noteWriters(root, emit);
  let isNoted = false;
  const context: CommandContext = {
    options,
    names,
    json: common.json,
    root,
    emit,
    signal,
    open: () => openSession(root, dofile),
    acquire: (wait = options["noWait"] !== true) =>
      acquireLock(root, {
        command: `dospesos ${words.join(" ")}`,
        wait,
        signal,
        onWait: (holder) => emit({ type: "lock-wait", holder }),
        onUnlockable: (why) => {
          // A watch takes the lock for each batch.
          if (!isNoted) {
            emit({ type: "note", what: `two runs at a time are not kept apart here: ${why}` });
          }
          isNoted = true;
        },
      }),
  };
  if (locks(command, context)) {
    return await locked(context, () => command.run(context));
  }
  try {
    return await command.run(context);
  } finally {
    await closeAccounts();
  }
}

/** Where modes or owners cannot tell who may change what runs, that is said instead of refused. */
function noteWriters(root: string, emit: Screen): void {
  const { uid } = statSync(root);
  if (!keepsModes(root)) {
    emit({
      type: "note",
      what: "this file system keeps no modes: whoever can write to it can change what runs here and on the devices",
    });
  }
  if (process.getuid?.() === 0 && uid !== 0) {
    emit({ type: "note", what: `runs as root what user ${uid} can change` });
  }
}

function locks({ locks: wanted }: Command, { options }: CommandContext): boolean {
  return typeof wanted === "boolean" ? wanted : wanted(options);
}

async function inform(
  args: Exclude<Arguments, CommandLine>,
  { version }: CompiledProgram,
  emit: Screen,
): Promise<number> {
  if (args.kind === "version") {
    emit({ type: "version", version });
  } else {
    const text = args.command === undefined ? generalHelp() : commandHelp(args.name!, args.command);
    emit({ type: "help", text });
  }
  return 0;
}

function colorWish({ color, noColor }: CommandLine["common"]): boolean | undefined {
  if (noColor) {
    return false;
  }
  return color ? true : undefined;
}

function screenFor(
  isJson: boolean,
  color: boolean | undefined,
  banner: () => string,
  interrupt: AbortSignal,
): Screen {
  const colors = palette(color, process.stderr.isTTY, process.env);
  return isJson ? jsonScreen(colors) : textScreen(colors, banner, interrupt);
}

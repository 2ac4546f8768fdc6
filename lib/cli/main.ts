import { pathToFileURL } from "node:url";
import { Session } from "../engine/index.ts";
import { ProblemError } from "../problem/index.ts";
import { palette } from "../ui/palette.ts";
import { jsonScreen, textScreen, type Screen } from "../ui/screen.ts";
import { parseArguments, USAGE, type Arguments, type Command } from "./arguments.ts";
import { projectHost } from "./host.ts";
import { problemsFor } from "./problems.ts";
import { findRoot, type CompiledProgram, type Run } from "./run.ts";
import { onSignals } from "./signals.ts";

/** The commands: each is a file of its own, loaded when it is asked for, and gives the exit code. */
const commands: Readonly<Record<Command, () => Promise<(run: Run) => Promise<number>>>> = {
  build: async () => (await import("./commands/build.ts")).build,
  watch: async () => (await import("./commands/watch.ts")).watch,
  clean: async () => (await import("./commands/clean.ts")).clean,
  status: async () => (await import("./commands/status.ts")).status,
  why: async () => (await import("./commands/why.ts")).why,
  request: async () => (await import("./commands/request.ts")).request,
  push: async () => (await import("./commands/push.ts")).push,
  "move-state": async () => (await import("./commands/move-state.ts")).moveState,
  destroy: async () => (await import("./commands/destroy.ts")).destroy,
  deploy: async () => (await import("./commands/deploy.ts")).deploy,
  check: async () => (await import("./commands/check.ts")).check,
  things: async () => (await import("./commands/things.ts")).things,
  sandbox: async () => (await import("./commands/sandbox.ts")).sandbox,
  list: async () => (await import("./commands/list.ts")).list,
};

/** Runs one command line and sets the exit code of the process. */
export async function main(words: readonly string[], program: CompiledProgram): Promise<void> {
  const signals = onSignals();
  let screen: Screen = textScreen(
    palette(undefined, process.stderr.isTTY, process.env),
    () => "",
    signals.signal,
  );
  try {
    const args = parseArguments(words);
    if (args === "help") {
      screen.answer(USAGE);
      return;
    }
    if (args === "version") {
      screen.answer(program.version);
      return;
    }
    let session: Session | undefined;
    screen = screenFor(args, () => session?.state.banner ?? "", signals.signal);
    const { root, dofile } = findRoot(args.folder);
    const api = pathToFileURL(`${program.folder}/index.js`).href;
    const open = (): Session =>
      (session = new Session(root, projectHost({ api, digest: program.digest }, dofile)));
    const command = await commands[args.command]();
    process.exitCode = await command({ args, root, screen, signal: signals.signal, open });
  } catch (error) {
    if (!signals.signal.aborted) {
      screen.problems(problemsFor(error));
    }
    process.exitCode = error instanceof ProblemError ? error.exitCode : 1;
  } finally {
    signals.stop();
  }
  if (signals.exitCode !== undefined) {
    process.exitCode = signals.exitCode;
  }
  signals.leaveClosedTerminal();
}

function screenFor(args: Arguments, banner: () => string, interrupt: AbortSignal): Screen {
  const colors = palette(args.color, process.stderr.isTTY, process.env);
  return args.json ? jsonScreen(colors) : textScreen(colors, banner, interrupt);
}

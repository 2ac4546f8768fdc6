import type { RecipeContext } from "../graph/context.ts";
import { fileValue, type DependencyRecorder } from "./recorder.ts";
import { fileName, fullPath, look } from "../disk/files.ts";
import { Kind } from "../model.ts";
import { ProblemError } from "../../problem/index.ts";
import { endGroupOn } from "../disk/process-group.ts";

export function recipeContext(
  reads: DependencyRecorder,
  signal: AbortSignal,
  note: (what: string) => void,
): RecipeContext {
  const { observer } = reads;
  const missing = (path: string): never => {
    throw new ProblemError([
      {
        code: "DP222",
        location: { file: fileName(observer.root, path) },
        what: "there is no such file",
        fix: "make it, or correct the name",
      },
    ]);
  };
  return {
    root: observer.root,
    read: (path) => reads.file(path) ?? missing(path),
    readIfExists: (path) => reads.file(path),
    readAgain: (path) => {
      observer.forget(observer.state.node(Kind.file, fileName(observer.root, path)));
      return reads.file(path);
    },
    glob: (pattern) => reads.glob(pattern),
    env: (name) => reads.environment(name),
    existing: (path) => {
      const name = fileName(observer.root, path);
      if (!reads.isOwn(name)) {
        throw new ProblemError([
          {
            code: "DP221",
            location: { file: name },
            what: "existing() is asked for a file that the step does not make",
            why: "it is not recorded as a prerequisite",
            fix: "use read()",
          },
        ]);
      }
      const stat = look(fullPath(observer.root, name), false);
      if (stat === undefined || stat === "loop" || !stat.isFile()) {
        return undefined;
      }
      const content = observer.read(observer.state.node(Kind.file, name));
      return content === undefined ? undefined : fileValue(name, content.bytes);
    },
    run: async (program, args, input = "") => {
      const { execa } = await import("execa");
      const ending = process.platform === "win32" ? { cancelSignal: signal } : { detached: true };
      const running = started(program, () =>
        execa(program, args, { cwd: observer.root, input, stripFinalNewline: false, ...ending }),
      );
      const letGo = running.pid === undefined ? () => {} : endGroupOn(signal, running.pid);
      try {
        return (await running).stdout;
      } finally {
        letGo();
      }
    },
    note,
    signal,
  };
}

/** execa 9 trips over itself where Node has no descriptors left for the program's pipes (EMFILE, ENFILE). */
function started<T>(program: string, start: () => T): T {
  try {
    return start();
  } catch (error) {
    if (!(error instanceof TypeError && error.message.includes("stdio is not iterable"))) {
      throw error;
    }
    throw new Error(
      `${program} could not be started: too many open files (EMFILE); raise ulimit -n, or run fewer recipes at a time with -j`,
      { cause: error },
    );
  }
}

import { ProblemError, type Problem } from "../problem/index.ts";

/**
 * What stopped the program, as problems. An error of the operating system names its file; any other one is a
 * fault of ours.
 */
export function problemsFor(error: unknown): readonly Problem[] {
  if (error instanceof ProblemError) {
    return error.problems;
  }
  const { code, path, syscall, message, stack } = error as NodeJS.ErrnoException;
  if (code !== undefined && path !== undefined) {
    return [
      {
        code: "DP002",
        location: { file: path },
        what: `${syscall ?? "the system"} failed: ${code}`,
        why: message,
        fix: fixes[code] ?? "put it right and run again",
      },
    ];
  }
  const [, missing] = /^Cannot find package '([^']+)' imported from/.exec(message) ?? [];
  if (code === "ERR_MODULE_NOT_FOUND" && missing !== undefined) {
    return [
      {
        code: "DP005",
        what: `the package ${missing} is not installed`,
        fix: "npm ci, in the folder of DosPesos",
      },
    ];
  }
  return [
    {
      code: "DP001",
      what: `dospesos itself failed: ${message}`,
      why: stack ?? "",
      fix: "please report it with these lines",
    },
  ];
}

const fixes: Readonly<Record<string, string>> = {
  EACCES: "make it readable and writable for you (see ls -l)",
  EROFS: "the file system is read-only: work in a copy that can be written",
  ENOSPC: "free some space on this file system and run again",
  EMFILE: "too many open files: raise the limit (ulimit -n) or use a smaller -j",
};

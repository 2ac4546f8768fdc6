import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { SourceLocation } from "../../problem/index.ts";

/** The first place of the project in a stack trace (source maps are on, so it is a place in the sources). */
export function locationInStack(root: string, stack: string): SourceLocation | undefined {
  for (const [, path, line, column] of stack.matchAll(
    /(?:^\s+at (?:async )?|\()((?:file:\/\/|\/|[A-Za-z]:\\).+?):(\d+):(\d+)\)?$/gm,
  )) {
    const file = relative(root, path!.startsWith("file:") ? fileURLToPath(path!) : path!);
    if (!file.startsWith("..") && !file.startsWith("node_modules")) {
      return { file, line: Number(line), column: Number(column) };
    }
  }
  return undefined;
}

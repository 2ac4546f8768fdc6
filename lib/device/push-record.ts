import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "../file/index.ts";
import { engineFolder } from "../layout.ts";

/**
 * How the last push of each core ended; "begun" of one that was interrupted. Losing it costs no more than naming the
 * cores again.
 */
export type Outcome = "done" | "failed" | "begun";

const file = (root: string): string => join(root, ".dospesos", engineFolder(), "push.json");

export function readOutcomes(root: string): Map<string, Outcome> {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(file(root), "utf8")) as Record<string, Outcome>));
  } catch {
    return new Map(); // nothing was pushed yet, or the file is damaged: then nothing is known
  }
}

export function writeOutcomes(root: string, outcomes: ReadonlyMap<string, Outcome>): void {
  mkdirSync(dirname(file(root)), { recursive: true });
  const text = `${JSON.stringify(Object.fromEntries(outcomes), null, 2)}\n`;
  replaceFile(file(root), text, { mode: 0o600 });
}

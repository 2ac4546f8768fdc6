import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../file/index.ts";

/**
 * How the last push of each core ended; "begun" of one that was interrupted. Losing it costs no more than naming the
 * cores again.
 */
export type Outcome = "done" | "failed" | "begun";

const FILE = ".dospesos/push.json";

export function readOutcomes(root: string): Map<string, Outcome> {
  try {
    return new Map(
      Object.entries(JSON.parse(readFileSync(join(root, FILE), "utf8")) as Record<string, Outcome>),
    );
  } catch {
    return new Map(); // nothing was pushed yet, or the file is damaged: then nothing is known
  }
}

export function writeOutcomes(root: string, outcomes: ReadonlyMap<string, Outcome>): void {
  mkdirSync(join(root, ".dospesos"), { recursive: true });
  const text = `${JSON.stringify(Object.fromEntries(outcomes), null, 2)}\n`;
  replaceFile(join(root, FILE), text, { mode: 0o600 });
}

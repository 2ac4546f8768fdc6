import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "../file/index.ts";
import { engineFolder } from "../layout.ts";

/** How the last push of a core ended; "begun" of one that was interrupted. */
export interface PushRecord {
  readonly core: string;
  readonly outcome: "done" | "failed" | "begun";
  /** SHA-256 of the archive. */
  readonly archive: string;
  /** ms since 1970 */
  readonly at: number;
  /** Why it failed. */
  readonly why?: string;
}

/** A record that is longer than this, in bytes, is written anew when it is read. */
const FOLD_AT = 1 << 20;

// One JSON object a line, appended; the last of a core counts. Losing it costs no more than naming the cores again.

/** What is known of each core; nothing where nothing was pushed yet, or the file is damaged. */
export function readPushes(root: string): Map<string, PushRecord> {
  const records = new Map<string, PushRecord>();
  const file = fileIn(root);
  if (!existsSync(file)) {
    return records;
  }
  for (const line of readFileSync(file, "utf8").split("\n")) {
    try {
      const record = JSON.parse(line) as PushRecord;
      records.set(record.core, record);
    } catch {
      continue; // the end of the file, or a line that a crash cut
    }
  }
  if (statSync(file).size > FOLD_AT) {
    const lines = [...records.values()].map((record) => `${JSON.stringify(record)}\n`);
    replaceFile(file, lines.join(""), { mode: 0o600 });
  }
  return records;
}

export function notePush(root: string, record: PushRecord): void {
  mkdirSync(dirname(fileIn(root)), { recursive: true });
  appendFileSync(fileIn(root), `${JSON.stringify(record)}\n`, { mode: 0o600 });
}

function fileIn(root: string): string {
  return join(root, ".dospesos", engineFolder(), "push.log");
}

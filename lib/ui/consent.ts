import { createInterface } from "node:readline/promises";

/** Asks a person at the terminal; anything but yes is no. Without a terminal nobody can be asked: no. Ctrl-C is the interrupt that it always is. */
export async function askConsent(question: string, signal: AbortSignal): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  lines.on("SIGINT", () => {
    process.stderr.write("\n");
    process.kill(process.pid, "SIGINT");
  });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `, { signal })).trim());
  } catch {
    return false; // interrupted at the question
  } finally {
    lines.close();
  }
}

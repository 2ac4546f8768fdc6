import { createInterface } from "node:readline/promises";

/**
 * Asks a person at the terminal; anything but yes is no. Without a terminal nobody can be asked: no. Ctrl-C
 * is the interrupt that it always is.
 */
export async function askConsent(question: string, signal: AbortSignal): Promise<boolean> {
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `, signal)) ?? "");
}

/** Asks a person at the terminal to type a word; anything else is no. */
export async function askForWord(question: string, word: string, signal: AbortSignal): Promise<boolean> {
  return (await ask(`${question} `, signal)) === word;
}

async function ask(question: string, signal: AbortSignal): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    return undefined;
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  lines.on("SIGINT", () => {
    process.stderr.write("\n");
    process.kill(process.pid, "SIGINT");
  });
  try {
    return (await lines.question(question, { signal })).trim();
  } catch {
    return undefined; // interrupted at the question
  } finally {
    lines.close();
  }
}

/**
 * `npm run torture`: tries to make the engine wrong in every way that is known here, and states in the last
 * line how often it tried.
 *   --minutes N   how long it may take in all (default 9.5); --quick: about 20 seconds
 *   DOSPESOS_SEED=N repeats the choices of the run that printed this seed. Exit 1 if anything was wrong.
 */
import { torture } from "./torture.ts";

async function main(words: readonly string[]): Promise<void> {
  const seed = process.env["DOSPESOS_SEED"] ?? String(Math.floor(Math.random() * 2 ** 31));
  console.log(`DOSPESOS_SEED=${seed}`);
  const minutes = words.includes("--minutes") ? Number(words[words.indexOf("--minutes") + 1]) : 9.5;
  if (!(minutes > 0)) {
    throw new Error("--minutes needs a number above 0");
  }
  const { figures, wrong } = await torture(seed, words.includes("--quick") ? "quick" : minutes, (line) =>
    console.log(line),
  );
  for (const what of wrong) {
    console.log(`\nWRONG  ${what}`);
  }
  console.log(figures);
  process.exitCode = wrong.length > 0 ? 1 : 0;
}

await main(process.argv.slice(2));

// Runs one program to its end and takes the time; everything has a limit.
import { spawnSync } from "node:child_process";

/**
 * Milliseconds from start to end, and what was said. Throws if the program fails or takes longer than `limit`
 * seconds.
 */
export function run([program, ...words], { cwd, env = process.env, limit = 300 } = {}) {
  const begin = process.hrtime.bigint();
  const { status, error, stdout, stderr } = spawnSync(program, words, {
    cwd,
    env,
    encoding: "utf8",
    timeout: limit * 1000,
    maxBuffer: 2 ** 30,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ms = Number(process.hrtime.bigint() - begin) / 1e6;
  if (error !== undefined) {
    throw new Error(
      `${program} ${words.join(" ")}: ${error.code === "ETIMEDOUT" ? `took longer than ${limit} s` : error.message}`,
    );
  }
  if (status !== 0) {
    throw new Error(
      `${program} ${words.join(" ")} ended with ${status}:\n${stderr.slice(-2000)}${stdout.slice(-500)}`,
    );
  }
  return { ms, stdout, stderr };
}

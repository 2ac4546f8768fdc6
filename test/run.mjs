// `npm test [-- [--fast] [--jobs N] PATTERN]`: every test/**/*.test.ts whose path below test/ matches, each file in a
// process of its own (light ones share one), several side by side. The output of a process is printed whole; the last
// line counts.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import fastGlob from "fast-glob";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const TIMES = join(root, "node_modules", ".cache", "dospesos-test-times.json");

/** Files that start many processes, Terraform or devices: what `--fast` leaves out. */
const SLOW =
  /^(terraform|device\/(install|system|push|mosquitto|nucleus|templates)|check|torture|story|package|examples)|^cli\/(?!commands|arguments)|^sandbox\/(aws-cli|device-sdk|moto|data-plane|protocol)|^engine\/(oracle|traps|saves|graph|guards|changes|state)/;
/** Rooms whose files share something that only one of them can have: the ports of the sandbox. */
const ALONE = /^(check)\//;

/** Rooms whose files start nothing: a process of their own would take longer than they do. */
const LIGHT = /^(pki|problem|render|rules|settings|ui)\//;

/** Milliseconds a byte of a test file: Terraform starts its provider again and again, devices are installed. */
const GUESSES = [
  [/^terraform\//, 25],
  [/^device\/(push|system|install)/, 15],
  [/^cli\/(lock|kill|state|watch-many)|^torture|^engine\/graph/, 8],
];

const { values, positionals } = parseArgs({
  options: { fast: { type: "boolean" }, jobs: { type: "string" } },
  allowPositionals: true,
});
const wanted = new RegExp(`${positionals[0] ?? ""}.*\\.test\\.ts$`);
const times = readTimes();
const files = fastGlob
  .globSync("**/*.test.ts", { cwd: join(root, "test") })
  .filter((file) => wanted.test(file) && !(values.fast && SLOW.test(file)));
const light = files.filter((file) => LIGHT.test(file));
/** What one process runs. */
const runs = [
  ...files.filter((file) => !LIGHT.test(file)).map((file) => [file]),
  ...(light.length > 0 ? [light] : []),
].sort((a, b) => weight(b[0]) - weight(a[0]));

const totals = { passed: 0, failed: 0, skipped: 0 };
const notRun = [];
const busy = new Set();

// One more than there are cores: tests wait for processes and clocks half of their time.
await Promise.all(Array.from({ length: Number(values.jobs ?? availableParallelism() + 1) }, worker));
mkdirSync(dirname(TIMES), { recursive: true });
writeFileSync(TIMES, JSON.stringify(times));
if (notRun.length > 0) {
  console.log(`\nNOT RUN:\n${notRun.map((line) => `  ${line}\n`).join("")}`);
}
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;

async function worker() {
  for (let together = next(); together !== undefined; together = next()) {
    const room = ALONE.exec(together[0])?.[1];
    busy.add(room);
    await run(together);
    if (room !== undefined) {
      busy.delete(room);
    }
  }
}

/** The longest file that may run now. A worker ends where what is left waits for a room that another one is in. */
function next() {
  const index = runs.findIndex(([file]) => {
    const room = ALONE.exec(file)?.[1];
    return room === undefined || !busy.has(room);
  });
  return index < 0 ? undefined : runs.splice(index, 1)[0];
}

function run(together) {
  const begin = performance.now();
  const bin = join(root, "node_modules", "uvu", "bin.js");
  const pattern = `^(${together.map((file) => file.replaceAll(/[.\\]/g, "\\$&")).join("|")})$`;
  const child = spawn(process.execPath, ["--import", "tsx", bin, "test", pattern], {
    cwd: root,
    env: {
      ...process.env,
      FORCE_COLOR: process.stdout.isTTY ? "1" : "0",
      TSX_TSCONFIG_PATH: join(root, "tsconfig.json"),
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const pipe of [child.stdout, child.stderr]) {
    pipe.on("data", (piece) => (output += piece));
  }
  return new Promise((resolve) => {
    child.on("close", (exit) => {
      times[together[0]] = Math.round(performance.now() - begin);
      count(output.replaceAll(/\u001b\[\d+m/g, ""), exit);
      process.stdout.write(output);
      resolve();
    });
  });
}

function count(plain, exit) {
  const figure = (word) => Number(plain.match(new RegExp(`^\\s+${word}:\\s+(\\d+)`, "m"))?.[1] ?? 0);
  const [total, passed, skipped] = [figure("Total"), figure("Passed"), figure("Skipped")];
  totals.passed += passed;
  totals.skipped += skipped;
  // A file that could not be loaded ends without counts: that is a failure, too.
  totals.failed += total - passed + (exit !== 0 && total === passed ? 1 : 0);
  notRun.push(...Array.from(plain.matchAll(/^NOT RUN (.*)$/gm), ([, why]) => why));
}

/** How long a file took last time, in milliseconds; of one that has not run yet a guess by its size and its room. */
function weight(file) {
  const [, perByte] = GUESSES.find(([pattern]) => pattern.test(file)) ?? [undefined, 1];
  return times[file] ?? statSync(join(root, "test", file)).size * perByte;
}

function readTimes() {
  try {
    return JSON.parse(readFileSync(TIMES, "utf8"));
  } catch {
    return {};
  }
}

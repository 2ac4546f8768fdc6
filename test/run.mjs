// `npm test [PATTERN]`: every test/**/*.test.ts whose path below test/ matches, in one uvu run; the last line
// counts.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pattern = process.argv[2] === undefined ? "\\.test\\.ts$" : `${process.argv[2]}.*\\.test\\.ts$`;
const environment = {
  ...process.env,
  TSX_TSCONFIG_PATH: join(root, "tsconfig.json"),
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
};
const run = spawn(
  process.execPath,
  ["--import", "tsx", join(root, "node_modules", "uvu", "bin.js"), "test", pattern],
  { cwd: root, env: environment, stdio: ["ignore", "pipe", "inherit"] },
);

let output = "";
run.stdout.on("data", (piece) => {
  output += piece;
  process.stdout.write(piece);
});
run.on("close", (exit) => {
  const plain = output.replace(/\u001b\[\d+m/g, "");
  const count = (word) => Number(plain.match(new RegExp(`^\\s+${word}:\\s+(\\d+)`, "m"))?.[1] ?? 0);
  const [total, passed, skipped] = [count("Total"), count("Passed"), count("Skipped")];
  // A file that could not be loaded ends the run without counts: that is a failure, too.
  const failed = total - passed + (exit !== 0 && total === passed ? 1 : 0);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
});

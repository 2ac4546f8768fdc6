// `npm run format` writes; `npm run format -- --check` only looks, and fails where something would change.
import { spawnSync } from "node:child_process";

const check = process.argv.includes("--check");
const PROGRAMS = [
  [process.execPath, ["node_modules/prettier/bin/prettier.cjs", check ? "--check" : "--write", "."]],
  ["terraform", ["fmt", ...(check ? ["-check"] : []), "-recursive", "terraform"]],
];

for (const [program, words] of PROGRAMS) {
  const { status, error } = spawnSync(program, words, { stdio: "inherit" });
  if (error?.code === "ENOENT") {
    console.error(`NOT RUN: ${program} is not installed`);
  } else if (status !== 0) {
    process.exitCode = 1;
  }
}

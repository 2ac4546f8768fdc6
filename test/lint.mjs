// What eslint does not read: shell (shellcheck) and HCL (terraform fmt). A tool that the machine lacks is named.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const files = (...patterns) =>
  spawnSync("git", ["ls-files", "-z", "--", ...patterns], { encoding: "utf8" })
    .stdout.split("\0")
    .filter(Boolean);
const isShell = (file) => /^#!.*\b(?:sh|bash)$/m.test(readFileSync(file, "utf8").split("\n", 1)[0]);

const CHECKS = [
  [
    "shellcheck",
    ["--severity=warning", ...files(".ci/run", "edge/**/*.sh", "test/**/shims/*").filter(isShell)],
  ],
  ["terraform", ["fmt", "-check", "-diff", "-recursive", "terraform"]],
];

for (const [program, words] of CHECKS) {
  const { status, error } = spawnSync(program, words, { stdio: "inherit" });
  if (error?.code === "ENOENT") {
    console.error(`NOT RUN: ${program} is not installed`);
  } else if (status !== 0) {
    process.exitCode = 1;
  }
}

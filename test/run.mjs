// `npm test [PATTERN]`: every test/**/*.test.ts whose path matches, in one uvu run.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const uvu = join(root, "node_modules", "uvu", "bin.js");
const pattern = process.argv[2] === undefined ? "\\.test\\.ts$" : `${process.argv[2]}.*\\.test\\.ts$`;
const environment = { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.json"), AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };
const run = spawnSync(process.execPath, ["--import", "tsx", uvu, "test", pattern], { cwd: root, env: environment, stdio: "inherit" });
process.exitCode = run.status ?? 1;

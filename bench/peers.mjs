// The peers: found on this machine, or installed from Debian's packages (ninja, make, doit; needs root) and
// the npm registry (wireit, into a temporary folder). One that cannot be had is named and skipped.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

const WIREIT = "wireit@0.14.13";

/**
 * Tool → { version, command(folder), env(folder) } for those that are there, and a line for each that is not.
 */
export function findPeers(temporary, node) {
  const peers = {};
  const missing = [];
  const add = (name, find) => {
    const found = find();
    if (typeof found === "string") {
      missing.push(`${name} is skipped: ${found}`);
    } else {
      peers[name] = { env: () => process.env, ...found };
    }
  };
  add("ninja", () => fromDebian("ninja-build", () => program(["ninja"])));
  add("make", () => fromDebian("make", () => program(["make"], ["-s", `-j${availableParallelism()}`])));
  add("doit", () =>
    fromDebian(
      "python3-doit",
      () =>
        program(["python3", "-m", "doit"], ["-v0"]) ?? program(["/usr/bin/python3", "-m", "doit"], ["-v0"]),
    ),
  );
  add("wireit", () => wireit(temporary, node));
  return { peers, missing };
}

function fromDebian(packageName, find) {
  const found = find();
  if (found !== undefined) {
    return found;
  }
  if (process.getuid?.() !== 0) {
    return `it is not installed (Debian: apt-get install ${packageName})`;
  }
  spawnSync("apt-get", ["update", "-qq"], { stdio: "ignore", timeout: 120_000 });
  spawnSync("apt-get", ["install", "-y", "--no-install-recommends", packageName], {
    stdio: "ignore",
    timeout: 120_000,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  return find() ?? `apt-get cannot install ${packageName}`;
}

function program(command, options = []) {
  const { status, stdout } = spawnSync(command[0], [...command.slice(1), "--version"], {
    encoding: "utf8",
    timeout: 20_000,
  });
  return status === 0
    ? { version: /[\d.]+\d/.exec(stdout)?.[0] ?? "?", command: () => [...command, ...options] }
    : undefined;
}

function wireit(temporary, node) {
  const folder = join(temporary, "wireit-package");
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  const { status } = spawnSync(
    "npm",
    ["install", "--prefix", folder, "--no-audit", "--no-fund", "--silent", WIREIT],
    { cwd: folder, stdio: "ignore", timeout: 120_000 },
  );
  if (status !== 0) {
    return "npm cannot install it";
  }
  return {
    version: WIREIT.split("@")[1],
    command: () => [node, join(folder, "node_modules/wireit/bin/wireit.js")],
    // What npm sets for a script: started by npm itself, it would cost 150 ms more.
    env: (project) => ({
      ...process.env,
      npm_lifecycle_event: "all",
      npm_package_json: join(project, "package.json"),
      npm_config_user_agent: "npm/10",
    }),
  };
}

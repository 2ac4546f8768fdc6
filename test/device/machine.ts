import { spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  type Stats,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Test } from "uvu";
import { Started } from "../support/bin.ts";
import { tempFolder } from "../support/temp.ts";
import { project } from "./templates.ts";

/**
 * A copy of this machine to install on: all of / below a layer in memory, in a mount namespace of its own,
 * with shims for java and systemctl. What is written goes into the layer, so that the layer is the list of
 * changes.
 */
export interface Machine {
  run: (command: string, input?: string) => SpawnSyncReturns<string>;
  /** The same beside the test. */
  start: (command: string) => Started;
  /** A path of the machine, for this process. */
  at: (path: string) => string;
  write: (path: string, content: string | Uint8Array, mode?: number) => void;
  /**
   * The paths that are not as they were when the machine was opened, but for /run, /tmp and the accounts'
   * backups.
   */
  changes: () => string[];
  /** All that the layer holds, with content, mode and time. */
  layer: () => Map<string, string>;
  close: () => void;
}

const MOUNT = `set -e
mount -t tmpfs -o size="$2" tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --rbind /proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
echo ready
exec cat`;

/** Declares a test that needs root and mount namespaces; elsewhere it says so and counts as skipped. */
export function testOnMachine<T>(test: Test<T>, name: string, body: Parameters<Test<T>>[1]): void {
  if (possible()) {
    test(name, body);
  } else {
    console.error(`\nNOT RUN (needs root, unshare and overlay mounts): ${name}`);
    test.skip(name, body);
  }
}

let answer: boolean | undefined;
function possible(): boolean {
  answer ??= spawnSync("unshare", ["-m", "sh", "-c", MOUNT, "sh", tempFolder("probe"), "1m"]).status === 0;
  return answer;
}

export async function openMachine(size = "512m"): Promise<Machine> {
  const folder = tempFolder("machine");
  const keeper = spawn("unshare", ["-m", "sh", "-c", MOUNT, "sh", folder, size], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(keeper.stdout, "data");
  const seen = `/proc/${keeper.pid}/root${folder}`;
  const inside = [
    `--mount=/proc/${keeper.pid}/ns/mnt`,
    "--",
    "chroot",
    join(folder, "root"),
    "/usr/bin/env",
    "-i",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  ];
  const machine: Machine = {
    run: (command, input = "") =>
      spawnSync("nsenter", [...inside, "sh", "-c", command], { encoding: "utf8", input, timeout: 60_000 }),
    start: (command) => new Started("/", "nsenter", [...inside, "sh", "-c", command]),
    at: (path) => join(seen, "root", path),
    write(path, content, mode = 0o644) {
      mkdirSync(dirname(machine.at(path)), { recursive: true });
      writeFileSync(machine.at(path), content);
      chmodSync(machine.at(path), mode);
    },
    changes: () => changedPaths(join(seen, "upper"), before),
    layer: () => layer(join(seen, "upper")),
    close: () => keeper.kill("SIGKILL"),
  };
  for (const name of readdirSync(join(project, "test/device/shims"))) {
    copyFileSync(join(project, "test/device/shims", name), machine.at(`/usr/local/sbin/${name}`));
    chmodSync(machine.at(`/usr/local/sbin/${name}`), 0o755);
  }
  // What this machine's root has its shell do, by ssh too, is not the device's.
  for (const name of [".bashrc", ".profile", ".bash_profile"]) {
    machine.write(`/root/${name}`, "");
  }
  machine.write("/etc/sudoers", "root ALL=(ALL:ALL) ALL\n", 0o440);
  rmSync(machine.at("/sbin/init"), { force: true });
  symlinkSync("/lib/systemd/systemd", machine.at("/sbin/init"));
  mkdirSync(machine.at("/run/systemd/system"), { recursive: true });
  mkdirSync(machine.at("/run/shims"), { recursive: true });
  const before = layer(join(seen, "upper"));
  return machine;
}

const UNREMARKABLE =
  /^\/(run|tmp)(\/|$)|^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$|^\/etc\/\.pwd\.lock$/;

function changedPaths(upper: string, before: ReadonlyMap<string, string>): string[] {
  const changed: string[] = [];
  for (const [path] of layer(upper)) {
    if (UNREMARKABLE.test(path)) {
      continue;
    }
    const now = identity(join(upper, path));
    // What was in the layer at the start is compared by its entry there, anything else with the machine
    // itself.
    const then = before.has(path) ? before.get(path)!.split(" @")[0] : identity(path);
    if (now !== then) {
      changed.push(path);
    }
  }
  return changed;
}

function layer(upper: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const path of readdirSync(upper, { recursive: true, encoding: "utf8" }).sort()) {
    const stat = lstatSync(join(upper, path), { bigint: true });
    entries.set(`/${path}`, `${identity(join(upper, path))} @${stat.isDirectory() ? 0 : stat.mtimeNs}`);
  }
  return entries;
}

/** Kind, mode, owner and content, or "nothing". */
function identity(path: string): string {
  let stat: Stats;
  try {
    stat = lstatSync(path);
  } catch {
    return "nothing";
  }
  const head = `${stat.mode.toString(8)} ${stat.uid}:${stat.gid}`;
  if (stat.isSymbolicLink()) {
    return `${head} ${readlinkSync(path)}`;
  }
  if (stat.isFile()) {
    return `${head} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
  }
  return stat.isDirectory() || stat.rdev !== 0 ? head : "nothing";
}

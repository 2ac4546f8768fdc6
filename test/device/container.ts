import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Started } from "../support/bin.ts";
import { tempFolder } from "../support/temp.ts";
import { toolPath } from "../support/tools.ts";
import { freePort, sshdConfig, type Client } from "./sshd.ts";

/**
 * A small Debian that was booted with systemd, with Java, sudo and an sshd: what a device in the field looks
 * like.
 */
export interface Container {
  readonly port: number;
  readonly hostKey: string;
  /** Runs a command as root. */
  run: (command: string, input?: string) => SpawnSyncReturns<string>;
  /** A path of the container, for this process. */
  at: (path: string) => string;
  write: (path: string, content: string | Uint8Array, mode?: number) => void;
  /** Every file with kind, mode, owner and content, but for what a system writes by itself. */
  files: () => Map<string, string>;
  /** Users, groups and units. */
  registry: () => string;
  stop: () => Promise<void>;
}

const PACKAGES = "systemd,systemd-sysv,dbus,openssh-server,sudo,procps";
/** What a device with the classic nucleus has, and with nucleus lite. */
export const CLASSIC_PACKAGES = "unzip,default-jre-headless";
export const LITE_PACKAGES =
  "apt,ca-certificates,cgroup-tools,libcurl4,libevent-2.1-7,libsqlite3-0,libssl3,liburiparser1,libuuid1,libyaml-0-2,libzip4";

/** Why there can be no such container here, or undefined. */
export function containerHindrance(): string | undefined {
  if (process.getuid?.() !== 0) {
    return "needs root";
  }
  const missing = ["mmdebstrap", "systemd-nspawn", "nsenter", "ssh-keygen"].filter(
    (tool) => toolPath(tool) === undefined,
  );
  return missing.length > 0 ? `needs ${missing.join(", ")}` : undefined;
}

/** Makes a Debian from the network's mirror; gives its folder, or why that could not be. */
export function makeDebian(packages = CLASSIC_PACKAGES): { folder: string } | { hindrance: string } {
  const folder = join(tempFolder("debian"), "root");
  const suite = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "bookworm";
  const { status, stderr } = spawnSync(
    "mmdebstrap",
    ["--quiet", "--variant=minbase", `--include=${PACKAGES},${packages}`, suite, folder],
    { encoding: "utf8", timeout: 400_000 },
  );
  return status === 0
    ? { folder }
    : { hindrance: `mmdebstrap could not make a Debian: ${(stderr ?? "").trim().split("\n").at(-1)}` };
}

/**
 * Boots the Debian in a folder; a user pi may log in by key, and become root by sudo without a password. Debian's
 * own timers are off: at midnight one of them writes backups.
 */
export async function boot(folder: string, client: Client): Promise<Container> {
  const port = await freePort();
  const at = (path: string): string => join(folder, path);
  const write = (path: string, content: string | Uint8Array, mode = 0o644): void => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), content);
    chmodSync(at(path), mode);
  };
  write("/etc/ssh/sshd_config", sshdConfig(port, "/etc/ssh"));
  spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at("/etc/ssh/host_key")]);
  write("/etc/sudoers.d/pi", "pi ALL=(ALL:ALL) NOPASSWD: ALL\n", 0o440);
  spawnSync("chroot", [
    folder,
    "sh",
    "-c",
    "useradd --create-home --shell /bin/sh --password '*' pi && mkdir -m 700 /home/pi/.ssh && systemctl mask console-getty.service timers.target",
  ]);
  write("/home/pi/.ssh/authorized_keys", client.publicKey, 0o600);
  spawnSync("chroot", [folder, "chown", "-R", "pi:pi", "/home/pi/.ssh"]);
  const nspawn = new Started(
    "/",
    "systemd-nspawn",
    [
      "--quiet",
      `--directory=${folder}`,
      "--boot",
      "--register=no",
      "--keep-unit",
      "--console=read-only",
      `--machine=dospesos-${port}`,
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  await nspawn.tells(/Reached target.*multi-user/i, 0, 60_000);
  const leader = spawnSync("pgrep", ["-P", String(nspawn.child.pid)], { encoding: "utf8" })
    .stdout.trim()
    .split("\n")[0]!;
  const run = (command: string, input = ""): SpawnSyncReturns<string> =>
    spawnSync(
      "nsenter",
      [
        "-t",
        leader,
        "-m",
        "-u",
        "-i",
        "-p",
        "--root",
        "/usr/bin/env",
        "-i",
        "HOME=/root",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "sh",
        "-c",
        `cd / && ${command}`,
      ],
      { encoding: "utf8", input, timeout: 120_000 },
    );
  return {
    port,
    hostKey: readFileSync(at("/etc/ssh/host_key.pub"), "utf8"),
    run,
    at,
    write,
    files: () => filesOf(folder),
    registry: () =>
      run(
        "{ getent passwd; getent group; systemctl list-unit-files --no-legend --no-pager; systemctl list-units --all --failed --no-legend --no-pager; }",
      ).stdout,
    async stop() {
      nspawn.kill("SIGTERM");
      await nspawn.end(60_000);
    },
  };
}

/** What a running system writes by itself. */
const OWN =
  /^\/(proc|sys|dev|run|tmp|var\/(log|cache|tmp|lib\/systemd|lib\/private))(\/|$)|^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$|^\/etc\/(\.pwd\.lock|\.updated|machine-id)$/;

function filesOf(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string): void => {
    for (const name of readdirSync(join(folder, path)).sort()) {
      const inside = `${path}/${name}`;
      if (OWN.test(inside)) {
        continue;
      }
      const stat = lstatSync(join(folder, inside));
      const head = `${stat.mode.toString(8)} ${stat.uid}:${stat.gid}`;
      if (stat.isSymbolicLink()) {
        found.set(inside, `${head} ${readlinkSync(join(folder, inside))}`);
      } else if (stat.isFile()) {
        found.set(
          inside,
          `${head} ${
            stat.size > 1_000_000
              ? `${stat.size} ${stat.mtimeMs}`
              : createHash("sha256").update(contentOf(folder, inside)).digest("hex")
          }`,
        );
      } else {
        found.set(inside, head);
      }
      if (stat.isDirectory()) {
        visit(inside);
      }
    }
  };
  visit("");
  return found;
}

/** A user's entry in shadow(5) holds the day of its making: two runs may have midnight between them. */
function contentOf(folder: string, path: string): Buffer {
  const content = readFileSync(join(folder, path));
  return path === "/etc/shadow"
    ? Buffer.from(content.toString("latin1").replaceAll(/^([^:]*:[^:]*:)\d*/gm, "$1"), "latin1")
    : content;
}

/** The paths that are not the same in both. */
export function differing(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .sort();
}

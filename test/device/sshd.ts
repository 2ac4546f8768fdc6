import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import type { Test } from "uvu";
import { PLAIN, type Started } from "../support/bin.ts";
import { tempFolder } from "../support/temp.ts";
import { testWhere, toolPath } from "../support/tools.ts";
import { testOnMachine, type Machine } from "./machine.ts";

/**
 * Declares a test of a device that is reached by a real ssh, and of what else it needs of programs; where one
 * is missing it says so and counts as skipped.
 */
export function testOverSsh<T>(
  test: Test<T>,
  tools: readonly string[],
  name: string,
  body: Parameters<Test<T>>[1],
): void {
  const missing = ["ssh", "ssh-keygen", ...tools].filter((tool) => toolPath(tool) === undefined);
  // It is often not on the PATH of users.
  if (toolPath("sshd") === undefined && !existsSync("/usr/sbin/sshd")) {
    missing.push("sshd");
  }
  if (missing.length === 0) {
    testOnMachine(test, name, body);
  } else {
    testWhere(test, `needs ${missing.join(", ")}`, name, body);
  }
}

/**
 * A user's ssh: keys, configuration and known hosts in a folder of its own, and an `ssh` first on PATH that
 * uses them.
 */
export class Client {
  readonly folder = tempFolder("ssh");
  readonly environment: NodeJS.ProcessEnv = {
    ...PLAIN,
    PATH: `${this.folder}:${process.env["PATH"]}`,
    SSH_AUTH_SOCK: undefined,
  };

  constructor() {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(this.folder, "id")]);
    writeFileSync(
      join(this.folder, "ssh"),
      `#!/bin/sh\nprintf '%s\\n' "$*" >> ${this.folder}/calls\nexec ${toolPath("ssh")} -F ${this.folder}/config "$@"\n`,
    );
    chmodSync(join(this.folder, "ssh"), 0o755);
    writeFileSync(join(this.folder, "config"), "");
    writeFileSync(join(this.folder, "known_hosts"), "");
  }

  get publicKey(): string {
    return readFileSync(join(this.folder, "id.pub"), "utf8");
  }

  /** The words that ssh was called with, a line each. */
  get calls(): string {
    return readFileSync(join(this.folder, "calls"), "utf8");
  }

  /** An alias for a port of this machine. */
  alias(name: string, port: number, words: Readonly<Record<string, string>> = {}): void {
    const lines = {
      HostName: "127.0.0.1",
      Port: port,
      User: "root",
      HostKeyAlias: name,
      IdentityFile: join(this.folder, "id"),
      IdentitiesOnly: "yes",
      UserKnownHostsFile: join(this.folder, "known_hosts"),
      ...words,
    };
    const text = `Host ${name}\n${Object.entries(lines)
      .map(([key, value]) => `  ${key} ${value}\n`)
      .join("")}`;
    writeFileSync(join(this.folder, "config"), text, { flag: "a" });
  }

  knows(name: string, hostKey: string): void {
    writeFileSync(join(this.folder, "known_hosts"), `${name} ${hostKey.split(" ").slice(0, 2).join(" ")}\n`, {
      flag: "a",
    });
  }
}

export interface Daemon {
  readonly port: number;
  readonly hostKey: string;
  readonly process: Started;
}

/** Text of a configuration of sshd that lets root in by key, at one port of the loopback. */
export function sshdConfig(port: number, folder: string): string {
  return `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${folder}/host_key\nPidFile none\nUsePAM no\nPermitRootLogin prohibit-password
PasswordAuthentication no\nAuthorizedKeysFile .ssh/authorized_keys\nPrintMotd no\n`;
}

/** Starts a real sshd in a machine, on the loopback. */
export async function startSshd(machine: Machine, client: Client): Promise<Daemon> {
  const port = await freePort();
  machine.run(
    "mkdir -p /run/sshd /run/ssh-test && chmod 755 /run/sshd && ssh-keygen -q -t ed25519 -N '' -f /run/ssh-test/host_key",
  );
  machine.write("/run/ssh-test/config", sshdConfig(port, "/run/ssh-test"));
  mkdirSync(machine.at("/root/.ssh"), { recursive: true, mode: 0o700 });
  machine.write("/root/.ssh/authorized_keys", client.publicKey, 0o600);
  const daemon = machine.start("exec /usr/sbin/sshd -D -e -f /run/ssh-test/config");
  await daemon.tells(/Server listening on/);
  return { port, hostKey: readFileSync(machine.at("/run/ssh-test/host_key.pub"), "utf8"), process: daemon };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .on("error", reject)
      .listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo;
        server.close(() => resolve(port));
      });
  });
}

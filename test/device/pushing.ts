// What the tests of `dospesos push` have in common: a built project, a user's ssh, a device with an sshd.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { BIN, dospesos, Started, type Ended } from "../support/bin.ts";
import { edit, shippedProject } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";
import { openMachine, type Machine } from "./machine.ts";
import { nucleusFiles } from "./nucleus-zip.ts";
import { Client, startSshd, type Daemon } from "./sshd.ts";
import { zip } from "./zip.ts";

/** The zip of a nucleus of some megabytes. */
const nucleusZip = Buffer.from(zip({ ...nucleusFiles("2.99.0"), "lib/more.jar": "x".repeat(8 << 20) }));

export interface Site {
  root: string;
  client: Client;
  push: (...words: string[]) => Started;
  pushed: (...words: string[]) => Promise<Ended>;
}

/** A project of some cores that is built, each with a host of its own name, and a user's ssh. */
export function site(cores: readonly string[] = ["core-1"]): Site {
  const root = tempFolder("site");
  cpSync(builtProject(cores), root, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  const client = new Client();
  const push = (...words: string[]): Started =>
    new Started(root, process.execPath, [BIN, "push", ...words], { env: client.environment });
  return { root, client, push, pushed: (...words) => push(...words).end(60_000) };
}

const builtProjects = new Map<string, string>();

/** Each test works on a copy: to build takes longer than most of them. */
function builtProject(cores: readonly string[]): string {
  const key = cores.join();
  const root = builtProjects.get(key) ?? buildProject(cores);
  builtProjects.set(key, root);
  return root;
}

function buildProject(cores: readonly string[]): string {
  const root = shippedProject();
  mkdirSync(join(root, "zips"));
  writeFileSync(join(root, "zips/greengrass-2.99.0.zip"), nucleusZip);
  const sha256 = createHash("sha256").update(nucleusZip).digest("hex");
  edit(root, "settings.ini", "version = 2.16.0", `version = 2.99.0\nsha256 = ${sha256}\nnucleus = ./zips`);
  edit(root, "settings.ini", "group = my-group", "group = my-group\nhost = core-1");
  for (const core of cores.slice(1)) {
    writeFileSync(join(root, "settings.ini"), `\n[core ${core}]\nhost = ${core}\n`, { flag: "a" });
  }
  const built = dospesos(root, "build", "edge-installer");
  assert.is(built.exit, 0, built.stderr);
  return root;
}

export async function withDevice(
  body: (machine: Machine, site: Site, daemon: Daemon) => Promise<void>,
  known = true,
): Promise<void> {
  const machine = await openMachine();
  const here = site();
  const daemon = await startSshd(machine, here.client);
  try {
    here.client.alias("core-1", daemon.port);
    if (known) {
      here.client.knows("core-1", daemon.hostKey);
    }
    await body(machine, here, daemon);
  } finally {
    daemon.process.kill("SIGTERM");
    machine.close();
  }
}

export const isActive = (machine: Machine): boolean =>
  machine.run("systemctl is-active greengrass.service").status === 0;

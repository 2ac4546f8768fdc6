// AWS's own device software against the sandbox: nucleus lite in a Debian that was booted with systemd, installed by our
// setup.sh. It runs where DOSPESOS_LITE names a folder with AWS's Debian packages, aws-greengrass-lite-VERSION*.deb.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  boot,
  containerHindrance,
  differing,
  LITE_PACKAGES,
  makeDebian,
  type Container,
} from "../device/container.ts";
import { Client } from "../device/sshd.ts";
import { BIN, dospesos, start, Started, type Ended } from "../support/bin.ts";
import { edit, shippedProject } from "../support/folder.ts";
import { testWhere } from "../support/tools.ts";

const folder = process.env["DOSPESOS_LITE"];
const packages = folder === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith(".deb"));
let hindrance =
  folder === undefined
    ? "needs DOSPESOS_LITE, a folder with AWS's packages of nucleus lite"
    : containerHindrance();
const made = hindrance === undefined ? makeDebian(LITE_PACKAGES) : undefined;
if (made !== undefined && "hindrance" in made) {
  hindrance = made.hindrance;
}
const debian = made !== undefined && "folder" in made ? made.folder : "";

const test = suite("nucleus lite");
const client = new Client();
let device: Container;
let root: string;
let sandbox: Started;
let pristine: Map<string, string>;
let registry: string;

if (hindrance === undefined) {
  test.before(async () => {
    device = await boot(debian, client);
    client.alias("core-1", device.port, { User: "pi" });
    client.knows("core-1", device.hostKey);
    pristine = device.files();
    registry = device.registry();
  });
  test.after(async () => {
    sandbox?.kill("SIGTERM");
    await device.stop();
  });
}

/** A project whose only core is this device with that version of lite. */
async function project(version: string): Promise<void> {
  root = shippedProject();
  const deb = packages.find((name) => name.includes(version))!;
  const bytes = readFileSync(join(folder!, deb));
  mkdirSync(join(root, "debs"));
  copyFileSync(join(folder!, deb), join(root, "debs", deb));
  edit(root, "settings.ini", /\[thing thing-1\][^]*/, "");
  edit(
    root,
    "settings.ini",
    "group = my-group",
    "group = my-group\nhost = core-1\nruntime = lite\nsandbox = device",
  );
  edit(root, "settings.ini", "root    = /greengrass/v2\n", "");
  edit(
    root,
    "settings.ini",
    "[core core-1]",
    `[lite]\nversion = ${version}\npackage = debs/${deb}\nsha256 = ${createHash("sha256").update(bytes).digest("hex")}\n[core core-1]`,
  );
  succeeds(dospesos(root, "build"));
  sandbox = start(root, "sandbox");
  await sandbox.tells(/the sandbox runs/, 0, 20_000);
  const [, hosts] = /etc\/hosts of your devices:\n {2}(.*)\n/.exec(sandbox.told) ?? [];
  assert.ok(hosts, sandbox.told);
  device.run(`sed -i '/amazonaws/d' /etc/hosts; echo '${hosts}' >> /etc/hosts`);
}

function succeeds({ exit, stdout, stderr }: Ended): string {
  assert.is(exit, 0, stdout + stderr);
  return stdout + stderr;
}

for (const version of ["2.6.0", "2.5.0"]) {
  testWhere(
    test,
    hindrance ??
      (packages.some((name) => name.includes(version)) ? undefined : `needs a package of ${version}`),
    `${version}: push, connect, HEALTHY, and uninstall with nothing left`,
    async () => {
      await project(version);
      try {
        const from = sandbox.told.length;
        await push();
        await sandbox.tells(/core-1 \(\S+\) is connected with MQTT/, from, 60_000);
        console.error(sandbox.told);
        uninstall();
        assert.equal(differing(pristine, device.files()), []);
        assert.is(device.registry(), registry);
      } finally {
        console.error(sandbox.told);
        console.error(device.run("journalctl --no-pager -n 40 -o cat").stdout);
        sandbox.kill("SIGTERM");
        await sandbox.end();
      }
    },
  );
}

async function push(): Promise<void> {
  const ended = await new Started(root, process.execPath, [BIN, "push", "core-1", "--yes"], {
    env: client.environment,
  }).end(180_000);
  assert.is(ended.exit, 0, ended.stdout + ended.stderr);
}

function uninstall(): void {
  const { status, stdout, stderr } = device.run("sh /var/lib/dospesos/core-1/uninstall.sh --yes");
  assert.is(status, 0, stdout + stderr);
}

test.run();

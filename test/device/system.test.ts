import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "uvu";
import { BIN, dospesos, Started, type Ended } from "../support/bin.ts";
import { edit, shippedProject } from "../support/folder.ts";
import { tempFolder } from "../support/temp.ts";
import { testWhere, toolPath } from "../support/tools.ts";
import { boot, containerHindrance, differing, makeDebian, type Container } from "./container.ts";
import { Client } from "./sshd.ts";
import { project } from "./templates.ts";

/**
 * A device as in the field: Debian booted with systemd, real Java, sudo and sshd; a stand-in for AWS's
 * installer with its quirks.
 */
const test = suite("a whole system");

const missing = ["javac", "jar", "ssh"].filter((tool) => toolPath(tool) === undefined);
let hindrance = containerHindrance() ?? (missing.length > 0 ? `needs ${missing.join(", ")}` : undefined);
const began = Date.now();
const made = hindrance === undefined ? makeDebian() : undefined;
if (made !== undefined && "hindrance" in made) {
  hindrance = made.hindrance;
}
const folder = made !== undefined && "folder" in made ? made.folder : "";
if (hindrance === undefined) {
  console.error(
    `\na Debian with systemd, Java and sshd took ${((Date.now() - began) / 1000).toFixed(0)} s to make`,
  );
}

const VERSION = "2.99.0";
const client = new Client();
let device: Container;
let root: string;
let pristine: Map<string, string>;
let registry: string;

function nucleusZip(): Buffer {
  const distro = tempFolder("distro");
  for (const name of ["bin", "conf", "lib", "classes"]) {
    mkdirSync(join(distro, name));
  }
  execFileSync("javac", [
    "--release",
    "8",
    "-Xlint:-options",
    "-d",
    join(distro, "classes"),
    join(project, "test/device/greengrass/Greengrass.java"),
  ]);
  execFileSync("jar", [
    "--create",
    "--file",
    join(distro, "lib/Greengrass.jar"),
    "--main-class",
    "Greengrass",
    "-C",
    join(distro, "classes"),
    ".",
  ]);
  rmSync(join(distro, "classes"), { recursive: true });
  writeFileSync(
    join(distro, "conf/recipe.yaml"),
    `---\nComponentName: aws.greengrass.Nucleus\nComponentVersion: '${VERSION}'\n`,
  );
  writeFileSync(
    join(distro, "bin/loader"),
    `#!/bin/sh\nhome=$(cd "$(dirname "$0")/.." && pwd)\nroot=\${home%%/packages/*}\nroot=\${root%%/alts/*}\nexec java "-Droot=$root" -jar "$home/lib/Greengrass.jar"\n`,
  );
  writeFileSync(
    join(distro, "bin/greengrass.service.template"),
    "[Unit]\nDescription=Greengrass Core\n[Service]\nType=simple\nExecStart=/bin/sh REPLACE_WITH_GG_LOADER_FILE\nRestart=no\n[Install]\nWantedBy=multi-user.target\n",
  );
  execFileSync("jar", [
    "--create",
    "--no-manifest",
    "--file",
    join(distro, "nucleus.zip"),
    "-C",
    distro,
    "bin",
    "-C",
    distro,
    "conf",
    "-C",
    distro,
    "lib",
  ]);
  return readFileSync(join(distro, "nucleus.zip"));
}

if (hindrance === undefined) {
  test.before(async () => {
    device = await boot(folder, client);
    client.alias("core-1", device.port, { User: "pi" });
    client.knows("core-1", device.hostKey);
    root = shippedProject();
    const bytes = nucleusZip();
    mkdirSync(join(root, "zips"));
    writeFileSync(join(root, `zips/greengrass-${VERSION}.zip`), bytes);
    edit(
      root,
      "settings.ini",
      "version = 2.16.0",
      `version = ${VERSION}\nsha256 = ${createHash("sha256").update(bytes).digest("hex")}\nnucleus = ./zips`,
    );
    edit(root, "settings.ini", "group = my-group", "group = my-group\nhost = core-1");
    build();
    // Each call of sync can be made the last one of its caller.
    copyFileSync(join(project, "test/device/shims/sync"), device.at("/usr/local/sbin/sync"));
    device.run("chmod 755 /usr/local/sbin/sync; mkdir -p /run/shims");
    pristine = device.files();
    registry = device.registry();
  });
  test.after(() => device.stop());
}

function build(): void {
  const { exit, stderr } = dospesos(root, "build", "edge-installer");
  assert.is(exit, 0, stderr);
}

const start = (...words: string[]): Started =>
  new Started(root, process.execPath, [BIN, "push", "core-1", "--yes", "--sandbox-ok", ...words], {
    env: client.environment,
  });

async function push(): Promise<Ended> {
  const ended = await start().end(120_000);
  assert.is(ended.exit, 0, ended.stderr);
  return ended;
}

const isActive = (): boolean =>
  device.run("systemctl is-active greengrass.service && systemctl is-enabled greengrass.service").status ===
  0;
const uninstall = (): void => {
  const { status, stdout, stderr } = device.run("sh /var/lib/dospesos/core-1/uninstall.sh --yes");
  assert.is(status, 0, stdout + stderr);
};
function isAsBefore(what: string): void {
  assert.equal(differing(pristine, device.files()), [], `${what}: files`);
  assert.is(device.registry(), registry, `${what}: users, groups and units`);
}

testWhere(
  test,
  hindrance,
  "push installs a core whose service runs; a second push changes 0 files; uninstall leaves 0 files, users, units",
  async () => {
    const begin = Date.now();
    await push();
    const first = Date.now() - begin;
    assert.ok(isActive());
    const effective = readFileSync(device.at("/greengrass/v2/config/effectiveConfig.yaml"), "utf8");
    assert.match(effective, /thingName: "core-1"/);
    const key = lstatSync(device.at("/greengrass/v2/private.pem.key"));
    assert.is(`${(key.mode & 0o777).toString(8)} ${key.uid}:${key.gid}`, "400 0:0");
    assert.is(
      readFileSync(device.at("/greengrass/v2/logs/greengrass.log"), "utf8"),
      "started\n",
      "certificate and key were there when the service started",
    );
    const before = device.files();
    const since = device.run("systemctl show -p ActiveEnterTimestampMonotonic greengrass.service").stdout;
    const again = Date.now();
    assert.match((await push()).stderr, /nothing to do/);
    console.error(
      `first push ${(first / 1000).toFixed(1)} s, second ${((Date.now() - again) / 1000).toFixed(1)} s`,
    );
    assert.equal(differing(before, device.files()), []);
    assert.is(
      device.run("systemctl show -p ActiveEnterTimestampMonotonic greengrass.service").stdout,
      since,
      "the service was not started again",
    );
    uninstall();
    isAsBefore("uninstalled");
  },
);

testWhere(
  test,
  hindrance,
  "killed at every step, one after the other, it converges; the result is that of a run that was never killed",
  async () => {
    await push();
    const wanted = device.files();
    uninstall();
    stage();
    let kills = 0;
    try {
      for (;;) {
        // At the second one: the first may be that before the record is replaced, where nothing has happened yet.
        device.run("{ rm -f /run/shims/syncs; echo 2 > /run/shims/kill-at; }");
        const { status, stderr } = device.run("sh /root/core-1/setup.sh --yes --sandbox-ok");
        if (status === 0) {
          break;
        }
        assert.is(status, 137, stderr);
        assert.ok(++kills < 60, "it gets further each time");
      }
    } finally {
      device.run("rm -rf /run/shims/* /root/core-1");
    }
    console.error(`killed ${kills} times`);
    assert.ok(kills >= 15, `${kills} kills`);
    assert.ok(isActive());
    const unlike = differing(wanted, device.files()).filter(
      (path) =>
        !/^\/(greengrass\/v2\/config\/config\.tlog|var\/lib\/dospesos\/core-1\/(log|record))$/.test(path),
    );
    assert.equal(unlike, []);
    uninstall();
    isAsBefore("after kills");
  },
);

/** Puts the bundle where root can run it, without a push. */
function stage(): void {
  for (const name of [
    "MANIFEST",
    "config.yaml",
    "device.pem.crt",
    "private.pem.key",
    "AmazonRootCA1.pem",
    "SandboxCA.pem",
    "setup.sh",
    "uninstall.sh",
    "README.txt",
  ]) {
    device.write(
      `/root/core-1/${name}`,
      readFileSync(join(root, "edge/out/core-1", name)),
      name.endsWith(".sh") ? 0o755 : 0o600,
    );
  }
  device.write(
    `/root/core-1/greengrass-${VERSION}.zip`,
    readFileSync(join(root, `zips/greengrass-${VERSION}.zip`)),
  );
}

testWhere(
  test,
  hindrance,
  "the laptop dies in the middle of a push: the next one goes on, and nothing is left over",
  async () => {
    const cut = start();
    await cut.tells(/put \/greengrass\/v2\/device\.pem\.crt in place/, 0, 60_000);
    cut.kill("SIGKILL");
    await cut.end();
    await push();
    assert.ok(isActive());
    uninstall();
    isAsBefore("after a cut push");
  },
);

testWhere(
  test,
  hindrance ?? (toolPath("script") === undefined ? "needs script, to have a terminal" : undefined),
  "sudo that asks for a password: without a terminal it is reported, at one the person is asked",
  async () => {
    const free = readFileSync(device.at("/etc/sudoers.d/pi"), "utf8");
    device.write("/etc/sudoers.d/pi", "pi ALL=(ALL:ALL) ALL\n", 0o440);
    device.run("cp -p /etc/shadow /run/shadow; echo pi:open-sesame | chpasswd");
    try {
      const alone = await start().end(60_000);
      assert.is(alone.exit, 4);
      assert.match(alone.stderr, /DP621: core-1: sudo on core-1 asks for a password/);
      const words = [process.execPath, BIN, "push", "core-1", "--yes", "--sandbox-ok"].join(" ");
      const asked = new Started(root, "script", ["-qec", words, "/dev/null"], {
        env: client.environment,
        stdio: ["pipe", "pipe", "pipe"],
      });
      await asked.tells(/password for pi/, 0, 60_000);
      asked.child.stdin!.write("open-sesame\n");
      await asked.tells(/done: the core core-1 runs/, 0, 60_000);
      asked.child.stdin!.end();
      assert.is((await asked.end(60_000)).exit, 0);
      assert.ok(isActive());
    } finally {
      device.write("/etc/sudoers.d/pi", free, 0o440);
      device.run("cp -p /run/shadow /etc/shadow");
    }
    uninstall();
  },
);

testWhere(
  test,
  hindrance,
  "a service that waits for the clock, as that of nucleus 2.17 does, is told apart from one that fails (D11)",
  async () => {
    await push();
    device.write(
      "/etc/systemd/system/never-set.service",
      "[Unit]\nBefore=time-sync.target\n[Service]\nType=oneshot\nExecStart=sleep infinity\n[Install]\nWantedBy=time-sync.target\n",
    );
    device.run(
      "sed -i 's/^\\[Unit]/[Unit]\\nWants=time-sync.target\\nAfter=time-sync.target/' /etc/systemd/system/greengrass.service",
    );
    device.run(
      "systemctl stop greengrass time-sync.target; systemctl enable -q never-set; systemctl daemon-reload",
    );
    try {
      const waiting = await start().end(120_000);
      assert.is(waiting.exit, 1, waiting.stderr);
      assert.match(waiting.stderr, /waits for the clock to be set \(time-sync\.target\)/);
    } finally {
      device.run(
        "systemctl disable -q never-set; rm /etc/systemd/system/never-set.service; systemctl daemon-reload; systemctl stop never-set greengrass",
      );
    }
    uninstall();
  },
);

testWhere(
  test,
  hindrance,
  "AWS's installer fails with exit code 0: the push fails, says why, and the next one installs",
  async () => {
    device.run("mkdir -p /run/shims && touch /run/shims/fails");
    const failed = await start().end(120_000);
    assert.is(failed.exit, 1);
    assert.match(failed.stderr, /did not set up its service/);
    device.run("rm /run/shims/fails");
    await push();
    assert.ok(isActive());
  },
);

testWhere(
  test,
  hindrance,
  "a changed setting reaches the nucleus, though its file is older than what the nucleus has written",
  async () => {
    edit(root, "settings.ini", "nucleus = ./zips", "nucleus = ./zips\nlog_level = DEBUG");
    build();
    const { stderr } = await push();
    assert.not.match(stderr, /sending greengrass/, "the zip was kept on the device");
    assert.match(
      readFileSync(device.at("/greengrass/v2/config/effectiveConfig.yaml"), "utf8"),
      /level: "DEBUG"/,
    );
    uninstall();
    isAsBefore("at the end");
  },
);

test.run();

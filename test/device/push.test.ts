import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "uvu";
import { BIN, dospesos, Started, type Ended } from "../support/bin.ts";
import { edit } from "../support/folder.ts";
import { openMachine, type Machine } from "./machine.ts";
import { isActive, site, withDevice } from "./pushing.ts";
import { freePort, startSshd, testOverSsh } from "./sshd.ts";

const test = suite("push");

function testPush(name: string, body: () => Promise<void>): void {
  testOverSsh(test, ["tar", "openssl"], name, body);
}

testPush(
  "push brings the bundle and the nucleus to the device, runs setup.sh and reports its steps; a second one changes no file",
  () =>
    withDevice(async (machine, { root, client, pushed }) => {
      const first = await pushed("core-1", "--yes", "--sandbox-ok");
      assert.is(first.exit, 0, first.stderr);
      assert.match(
        first.stderr,
        /core-1 {2}sending greengrass-2\.99\.0\.zip: \d+ %[^]*core-1 {2}all checks passed[^]*core-1 {2}put \/greengrass\/v2\/private\.pem\.key in place[^]*core-1 {2}installed/,
      );
      assert.ok(isActive(machine));
      assert.is(machine.run("ls -A /root/.dospesos").status, 2, "what was sent is gone again");
      const key = readFileSync(join(root, "edge/keys/core-1/private.pem.key"), "utf8");
      assert.is(readFileSync(machine.at("/greengrass/v2/private.pem.key"), "utf8"), key);
      assert.not.ok(
        (first.stdout + first.stderr + client.calls).includes(key.split("\n")[1]!),
        "the key is in no output and no argument",
      );
      assert.not.match(
        client.calls,
        /StrictHostKeyChecking|UserKnownHostsFile|GlobalKnownHosts|HostKeyAlias/,
      );
      const before = files(machine);
      const second = await pushed("core-1", "--yes", "--sandbox-ok");
      assert.is(second.exit, 0, second.stderr);
      assert.match(second.stderr, /nothing to do/);
      assert.not.match(second.stderr, /sending greengrass/, "the device has the zip already");
      assert.equal(files(machine), before);
    }),
);

testPush(
  "a host key that is not known, or another one than before: nothing is sent, and it is reported how to go on",
  () =>
    withDevice(async (machine, { client, pushed }, daemon) => {
      const unknown = await pushed("core-1", "--yes", "--sandbox-ok");
      assert.is(unknown.exit, 1);
      assert.match(
        unknown.stderr,
        /settings\.ini:\d+:1: error DP620: the host key of core-1 is not known here\n {2}why: .*\n {2}fix: .*fingerprint/,
      );
      client.knows("core-1", readFileSync(join(client.folder, "id.pub"), "utf8"));
      const changed = await pushed("core-1", "--yes", "--sandbox-ok");
      assert.is(changed.exit, 1);
      assert.match(changed.stderr, /the host key of core-1 is not the one that is known here/);
      assert.is(machine.run("ls -A /root/.dospesos").status, 2);
      assert.ok(daemon.port > 0);
    }, false),
);

testPush(
  "a push that is interrupted or killed while it sends did not end well, and is gone on with by the next one",
  () =>
    withDevice(async (machine, { push, pushed }) => {
      const interrupted = push("core-1", "--yes", "--sandbox-ok");
      await interrupted.tells(/sending core-1\.tar\.gz/);
      interrupted.kill("SIGINT");
      assert.is((await interrupted.end()).exit, 130);
      const killed = push("--only", "failed", "--yes", "--sandbox-ok");
      await killed.tells(/sending greengrass-2\.99\.0\.zip: [1-4]\d %/);
      killed.kill("SIGKILL");
      await killed.end();
      // Whoever comes back finds the rest of the first connection gone.
      machine.run("while pgrep -f '[c]at > .dospesos' > /dev/null; do sleep 0.1; done");
      const next = await pushed("core-1", "--yes", "--sandbox-ok");
      assert.is(next.exit, 0, next.stderr);
      assert.match(next.stderr, /going on with greengrass-2\.99\.0\.zip: \d+ %/);
      assert.ok(isActive(machine));
    }),
);

testPush(
  "half a file of something else on the device is not gone on with, and a file that arrives damaged is not installed",
  () =>
    withDevice(async (machine, { pushed }) => {
      machine.write("/root/.dospesos/core-1.tar.gz.part", "something else");
      machine.write("/root/.dospesos/greengrass-2.99.0.zip", "something else");
      const healed = await pushed("core-1", "--yes", "--sandbox-ok");
      assert.is(healed.exit, 0, healed.stderr);
      assert.ok(isActive(machine));
      machine.write("/usr/local/sbin/cat", "#!/bin/sh\nexec head -c 1000\n", 0o755);
      const damaged = await pushed("core-1", "--yes", "--sandbox-ok");
      assert.is(damaged.exit, 1);
      assert.match(damaged.stderr, /core-1\.tar\.gz did not arrive as it was sent/);
    }),
);

testPush(
  "what setup.sh finds wrong with the device is reported with why and fix, and nothing is installed",
  () =>
    withDevice(async (machine, { pushed }) => {
      const refused = await pushed("core-1", "--yes");
      assert.is(refused.exit, 1);
      assert.match(
        refused.stderr,
        /settings\.ini:\d+:1: error DP622: core-1: this is a SANDBOX bundle, and the sandbox simulates its core\n {2}why: .*\n {2}fix: .*--sandbox-ok/,
      );
      machine.write("/run/shims/java-version", "1.7.0_80");
      const both = await pushed("core-1", "--yes");
      assert.match(both.stderr, /Java 1\.7\.0_80 is too old[^]*this is a SANDBOX bundle/);
      assert.is(machine.run("ls /greengrass").status, 2);
      assert.is(
        machine.run("ls /root/.dospesos").stdout,
        "greengrass-2.99.0.zip\n",
        "no private key is left behind",
      );
      rmSync(machine.at("/run/shims/java-version"));
      const dry = await pushed("core-1", "--dry-run");
      assert.is(dry.exit, 0, dry.stderr);
      assert.match(dry.stderr, /to do +make the system user/);
      assert.is(machine.run("ls /greengrass").status, 2);
    }),
);

testPush(
  "several cores: a line each, one that fails keeps no other from its end, and --only failed takes just that one",
  async () => {
    const machines = [await openMachine(), await openMachine()];
    try {
      const { client, pushed } = site(["core-1", "core-2"]);
      const first = await startSshd(machines[0]!, client);
      client.alias("core-1", first.port);
      client.knows("core-1", first.hostKey);
      const port = await freePort();
      client.alias("core-2", port);
      const both = await pushed("--yes", "--sandbox-ok", "-j", "2");
      assert.is(both.exit, 1, both.stderr);
      assert.is(both.stderr.match(/^core-1 {2}/gm)?.length, 1);
      assert.is(both.stderr.match(/^core-2 {2}failed/gm)?.length, 1);
      assert.match(both.stderr, /no connection to core-2: .*refused/);
      assert.match(both.stderr, /1 done, 1 failed: dospesos push --only failed/);
      assert.ok(isActive(machines[0]!));
      const second = await startSshd(machines[1]!, client);
      writeFileSync(
        join(client.folder, "config"),
        readFileSync(join(client.folder, "config"), "utf8").replace(`Port ${port}`, `Port ${second.port}`),
      );
      client.knows("core-2", second.hostKey);
      const rest = await pushed("--only", "failed", "--yes", "--sandbox-ok", "--json");
      assert.is(rest.exit, 0, rest.stderr);
      const events = rest.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { type: string; core: string; status: string })
        .filter(({ type }) => type === "push");
      assert.ok(events.every(({ core }) => core === "core-2"));
      assert.is(events.at(-1)!.status, "done");
      assert.ok(isActive(machines[1]!));
      assert.match((await pushed("--only", "failed", "--yes")).stderr, /nothing to push/);
    } finally {
      for (const machine of machines) {
        machine.close();
      }
    }
  },
);

testPush("a jump host of the user's configuration is gone through", () =>
  withDevice(async (machine, { client, pushed }, daemon) => {
    client.alias("behind", daemon.port, { ProxyJump: "core-1", HostKeyAlias: "core-1" });
    const { exit, stderr } = await pushed("core-1", "--host", "behind", "--yes", "--sandbox-ok");
    assert.is(exit, 0, stderr);
    assert.ok(isActive(machine));
  }),
);

testPush(
  "key = device: the key is made on the device and stays there; the request comes back, the certificate goes out",
  () =>
    withDevice(async (machine, { root, client, pushed }) => {
      const request = (): Promise<Ended> =>
        new Started(root, process.execPath, [BIN, "request", "core-1"], { env: client.environment }).end(
          60_000,
        );
      assert.match((await request()).stderr, /DP623: \[core core-1\] has its key on the laptop/);
      edit(root, "settings.ini", "host = core-1", "host = core-1\nkey = device\nsandbox = simulated");
      const early = dospesos(root, "build", "edge-installer");
      assert.is(early.exit, 4, early.stderr);
      assert.match(
        early.stderr,
        /edge\/keys\/core-1\/device\.pem\.csr: error DP609: .*\n {2}why: .*\n {2}fix: dospesos request core-1/,
      );
      const first = await request();
      assert.is(first.exit, 0, first.stderr);
      const built = dospesos(root, "build", "edge-installer");
      assert.is(built.exit, 0, built.stderr);
      assert.match((await request()).stderr, /the same key as before/);
      assert.is((await pushed("core-1", "--yes", "--sandbox-ok")).exit, 0);
      assert.ok(isActive(machine));
      const key = readFileSync(machine.at("/greengrass/v2/private.pem.key"), "utf8");
      assert.is(machine.run("stat -c '%a %u:%g' /greengrass/v2/private.pem.key").stdout, "400 0:0\n");
      const certificate = new X509Certificate(readFileSync(machine.at("/greengrass/v2/device.pem.crt")));
      assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
      const secret = key.split("\n")[1]!;
      const holders = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
        (name) => lstatSync(join(root, name)).isFile() && readFileSync(join(root, name)).includes(secret),
      );
      assert.equal(holders, [], "no file of the laptop has it");
      assert.not.ok(existsSync(join(root, "edge/out/core-1/private.pem.key")));
      assert.match((await pushed("core-1", "--yes", "--sandbox-ok")).stderr, /nothing to do/);
      // Another device, or one that was set up anew, has another key.
      machine.run(
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out /var/lib/dospesos/core-1/private.pem.key",
      );
      assert.match(
        (await pushed("core-1", "--yes", "--sandbox-ok")).stderr,
        /DP622: core-1: the certificate of the bundle is not for this device's key/,
      );
      assert.is(machine.run("sh /var/lib/dospesos/core-1/uninstall.sh --yes").status, 0);
      assert.match(
        (await pushed("core-1", "--yes", "--sandbox-ok")).stderr,
        /DP622: core-1: there is no key of core-1 on this device/,
      );
      assert.is(machine.run("ls /greengrass").status, 2);
    }),
);

testPush(
  "without consent nothing is sent; a bundle that is not what the settings say is not pushed",
  async () => {
    const { root, client, pushed } = site();
    const asked = await pushed("core-1");
    assert.is(asked.exit, 4);
    assert.match(asked.stderr, /nothing was pushed/);
    edit(root, "settings.ini", "root    = /greengrass/v2", "root    = /opt/greengrass");
    const stale = await pushed("core-1", "--yes");
    assert.is(stale.exit, 4);
    assert.match(stale.stderr, /edge\/out\/core-1\.tar\.gz: error DP624: is unknown|DP624: is stale/);
    const wrong = await pushed("core-9", "core-7", "--yes");
    assert.is(wrong.exit, 2);
    assert.match(wrong.stderr, /no \[core "core-9"\][^]*no \[core "core-7"\]/);
    assert.is((await pushed("core-1", "--host", "-oProxyCommand=id", "--yes")).exit, 2);
    assert.not.ok(existsSync(join(client.folder, "calls")));
  },
);

/** The files of the device with their content and time, but for what systems write by themselves. */
function files(machine: Machine): Record<string, string> {
  return Object.fromEntries(
    [...machine.layer()].filter(
      ([path, what]) => !/^\/(run|tmp|var\/log)(\/|$)/.test(path) && !what.endsWith("@0"),
    ),
  );
}

test.run();

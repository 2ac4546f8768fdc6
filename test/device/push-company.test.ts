// A device and an ssh as people have them: shells that talk, masters in the background, an interrupt at the wrong time
// (B13).
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "uvu";
import { isActive, withDevice } from "./pushing.ts";
import { testOverSsh } from "./sshd.ts";

const test = suite("push in company");

function testPush(name: string, body: () => Promise<void>): void {
  testOverSsh(test, ["tar", "openssl"], name, body);
}

const NOISY = `printf '\\033]0;a title\\007'
echo 'sudo root'; echo 'clock 5'; echo 'lacks everything'; echo 'has core-1.tar.gz 0'; echo 'damaged core-1.tar.gz'
echo 'error: from the shell' >&2
trap "echo 'sudo interactive'; echo 'clock 7'; echo 'error: at the end' >&2" EXIT
`;

const PUSH = ["core-1", "--yes", "--sandbox-ok"] as const;

testPush("what a login shell prints before and after is no answer of the device", () =>
  withDevice(async (machine, { pushed }) => {
    machine.write("/root/.bashrc", NOISY);
    const { exit, stderr } = await pushed(...PUSH);
    assert.is(exit, 0, stderr);
    assert.ok(isActive(machine));
    assert.not.match(stderr, /a title|from the shell|at the end/);
    const refused = await pushed("core-1", "--yes");
    assert.is(refused.exit, 1);
    assert.is(refused.stderr.match(/: error DP/g)?.length, 1, refused.stderr);
  }),
);

testPush("a push is one connection: nobody is asked twice for a password", () =>
  withDevice(async (machine, { pushed }, daemon) => {
    const { exit, stderr } = await pushed(...PUSH);
    assert.is(exit, 0, stderr);
    await daemon.process.tells(/Accepted publickey/);
    assert.is(daemon.process.stderr.match(/Accepted publickey/g)?.length, 1, daemon.process.stderr);
    assert.ok(isActive(machine));
  }),
);

testPush("the user's own shared connection is used, and its master in the background is not waited for", () =>
  withDevice(async (machine, { client, pushed }, daemon) => {
    writeFileSync(
      join(client.folder, "config"),
      `Host *\n  ControlMaster auto\n  ControlPath ${client.folder}/%C\n  ControlPersist 25\n`,
      { flag: "a" },
    );
    const before = performance.now();
    const { exit, stderr } = await pushed(...PUSH);
    assert.is(exit, 0, stderr);
    assert.ok(isActive(machine));
    assert.ok(
      readdirSync(client.folder).some((name) => /^[0-9a-f]{40}$/.test(name)),
      "the master lives on",
    );
    assert.is(daemon.process.stderr.match(/Accepted publickey/g)?.length, 1);
    assert.ok(performance.now() - before < 60_000);
    execFileSync("ssh", ["-F", join(client.folder, "config"), "-O", "exit", "core-1"], { stdio: "ignore" });
  }),
);

testPush("a device that does not stop talking is left, with less than its megabytes on the terminal", () =>
  withDevice(async (machine, { pushed }) => {
    machine.write("/root/.bashrc", "exec yes 'all work and no play'\n");
    const { exit, stdout, stderr } = await pushed(...PUSH);
    assert.is(exit, 1);
    assert.match(stderr, /error DP620: core-1 does not stop talking/);
    assert.ok(stdout.length + stderr.length < 20_000);
  }),
);

testPush("after an interrupt no private key stays on the device, and the half of the zip does", () =>
  withDevice(async (machine, { push }) => {
    const interrupted = push(...PUSH);
    await interrupted.tells(/sending greengrass-2\.99\.0\.zip: [1-9]/);
    interrupted.kill("SIGINT");
    const { exit, stderr } = await interrupted.end();
    assert.is(exit, 130, stderr);
    assert.not.match(stderr, "stays on");
    assert.equal(readdirSync(machine.at("/root/.dospesos")), ["greengrass-2.99.0.zip.part"]);
  }),
);

testPush("what could not be removed from the device is said, with the way to do it", () =>
  withDevice(async (machine, { pushed }) => {
    machine.write(
      "/usr/local/sbin/rm",
      "#!/bin/sh\ncase \"$*\" in '-rf core-1 core-1.new core-1.tar.gz '*) echo 'rm: disk is on fire' >&2; exit 1 ;; esac\nexec /usr/bin/rm \"$@\"\n",
      0o755,
    );
    const { exit, stderr } = await pushed(...PUSH);
    assert.is(exit, 0, stderr);
    assert.match(
      stderr,
      /core-1: the bundle, with its private key, stays on core-1 in ~\/\.dospesos: rm: disk is on fire; the next push removes it, or `ssh core-1 rm -r \.dospesos`/,
    );
    assert.ok(existsSync(machine.at("/root/.dospesos/core-1.tar.gz")));
  }),
);

test.run();

import { lstatSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { test } from "uvu";
import { putBundle, nucleusZip } from "./coreBundle.ts";

import { openMachine, testOnMachine, type Machine } from "./machine.ts";
import { plainZip } from "./signed-zip.ts";

const SETUP = "sh /home/pi/core-1/setup.sh";
const UNINSTALL = "sh /var/lib/dospesos/core-1/uninstall.sh --yes";

async function onMachine(body: (machine: Machine) => void, size?: string): Promise<void> {
  const machine = await openMachine(size);
  try {
    body(machine);
  } finally {
    machine.close();
  }
}

/** The changes of the machine beside the bundle that was copied to it. */
function changes(machine: Machine): string[] {
  return machine.changes().filter((path) => path !== "/home" && !path.startsWith("/home/pi"));
}

/** The paths outside of /run that are not the same in both. */
function touched(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter((path) => !/^\/run(\/|$)/.test(path));
  return paths.filter((path) => before.get(path) !== after.get(path));
}

function text(machine: Machine, path: string): string {
  return readFileSync(machine.at(path), "utf8");
}

function succeeds(machine: Machine, command: string): string {
  const result = machine.run(command);
  assert.is(result.status, 0, `${command}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

testOnMachine(test, "setup.sh --yes installs the core: user, files, nucleus, service", () =>
  onMachine((machine) => {
    putBundle(machine);
    succeeds(machine, `${SETUP} --yes`);
    const mode = (path: string): string => (lstatSync(machine.at(path)).mode & 0o777).toString(8);
    assert.is(mode("/greengrass"), "755");
    assert.is(mode("/greengrass/v2/private.pem.key"), "400");
    assert.is(mode("/greengrass/v2/device.pem.crt"), "600");
    assert.is(mode("/var/lib/dospesos"), "700");
    assert.is(mode("/var/lib/dospesos/core-1/log"), "600");
    assert.is(lstatSync(machine.at("/greengrass/v2/private.pem.key")).uid, 0);
    assert.match(machine.run("id -Gn ggc_user").stdout, /\bggc_group\b/);
    assert.ok(machine.run("systemctl is-active greengrass.service").status === 0);
    const call = text(machine, "/run/shims/java-calls");
    assert.match(call, /^-Xmx128m -Droot=\/greengrass\/v2 -Dlog\.store=FILE -jar \S+\.jar --init-config \S+\.yaml /);
    assert.match(call, / --component-default-user ggc_user:ggc_group --setup-system-service true\n$/);
    const atThatTime = text(machine, "/run/shims/private.pem.key");
    assert.is(atThatTime, "CANARY of the private key\n", "the key was in place before the service was made");
    assert.is(machine.run("ls /var/lib/dospesos/core-1").stdout, "greengrass-2.16.0.zip\nlock\nlog\nrecord\nuninstall.sh\n");
    assert.not.match(text(machine, "/var/lib/dospesos/core-1/log"), /CANARY/);
  }));

testOnMachine(test, "a second setup.sh changes no file and starts nothing again", () =>
  onMachine((machine) => {
    putBundle(machine);
    succeeds(machine, `${SETUP} --yes`);
    rmSync(machine.at("/run/shims/systemctl-calls"));
    const before = machine.layer();
    assert.match(succeeds(machine, `${SETUP} --yes`), /nothing to do/);
    assert.equal(touched(before, machine.layer()), []);
    assert.not.match(text(machine, "/run/shims/systemctl-calls"), /start|stop/);
  }));

testOnMachine(test, "uninstall.sh leaves the machine as it was before setup.sh, and a second one has nothing to do", () =>
  onMachine((machine) => {
    putBundle(machine);
    succeeds(machine, `${SETUP} --yes`);
    succeeds(machine, "cp /var/lib/dospesos/core-1/uninstall.sh /run/uninstall.sh");
    assert.match(succeeds(machine, UNINSTALL), /cloud part .* stays/);
    assert.equal(changes(machine), []);
    assert.is(machine.run("getent passwd ggc_user").status, 2);
    assert.match(succeeds(machine, "sh /run/uninstall.sh --yes"), /nothing to do/);
    assert.match(succeeds(machine, `${SETUP} --uninstall --yes`), /nothing to do/);
  }));

testOnMachine(test, "uninstall.sh keeps and names a file, user and group that setup.sh did not make", () =>
  onMachine((machine) => {
    putBundle(machine);
    succeeds(machine, "groupadd --system ggc_group && useradd --system --user-group ggc_user && mkdir /greengrass");
    succeeds(machine, `${SETUP} --yes`);
    machine.write("/greengrass/v2/notes.txt", "mine\n");
    const said = succeeds(machine, UNINSTALL);
    assert.match(said, /kept.*\n {2}\/greengrass\/v2, with: .*notes\.txt/);
    assert.is(text(machine, "/greengrass/v2/notes.txt"), "mine\n");
    assert.is(machine.run("ls /greengrass/v2").stdout, "notes.txt\n");
    const groups = machine.run("id -Gn ggc_user").stdout.trim();
    assert.is(groups, "ggc_user", "it is no longer in the group that setup.sh put it into");
    assert.is(machine.run("getent group ggc_group").status, 0);
  }));

testOnMachine(test, "setup.sh killed at any point goes on when it is run again, and then uninstalls to nothing", () =>
  onMachine((machine) => {
    putBundle(machine);
    let kills = 0;
    for (let point = 1; ; point++) {
      machine.run("rm -f /run/shims/*");
      machine.write("/run/shims/kill-at", `${point}`);
      const killed = machine.run(`${SETUP} --yes`);
      if (killed.status === 0) break;
      assert.is(killed.status, 137, killed.stderr);
      kills += 1;
      rmSync(machine.at("/run/shims/kill-at"));
      // Every second time the next thing is not another try but the uninstaller, on what is there by then.
      if (point % 2 === 0) succeeds(machine, `${SETUP} --yes`);
      succeeds(machine, UNINSTALL);
      assert.equal(changes(machine), [], `killed at ${point}`);
    }
    assert.ok(kills >= 15, `${kills} points`);
    // Killed after its last step, there is nothing more to do but to take away its copy of the key.
    succeeds(machine, UNINSTALL);
    machine.run("rm -f /run/shims/*");
    machine.write("/run/shims/kill-at", `${kills}`);
    assert.is(machine.run(`${SETUP} --yes`).status, 137);
    assert.is(machine.run("ls /var/lib/dospesos/core-1/work/private.pem.key").status, 0);
    assert.match(succeeds(machine, `${SETUP} --yes`), /nothing to do/);
    assert.is(machine.run("ls /var/lib/dospesos/core-1/work").status, 2);
    assert.ok(machine.run("systemctl is-active greengrass.service").status === 0);
  }));

testOnMachine(test, "setup.sh killed within the nucleus' installer goes on when it is run again", () =>
  onMachine((machine) => {
    putBundle(machine);
    machine.write("/run/shims/java-killed", "");
    assert.is(machine.run(`${SETUP} --yes`).status, 137);
    succeeds(machine, `${SETUP} --yes`);
    assert.ok(machine.run("systemctl is-active greengrass.service").status === 0);
    succeeds(machine, UNINSTALL);
    assert.equal(changes(machine), []);
  }));

testOnMachine(test, "an installer that fails with exit code 0 is a failure, and the next run installs", () =>
  onMachine((machine) => {
    putBundle(machine);
    machine.write("/run/shims/java-fails", "");
    const failed = machine.run(`${SETUP} --yes`);
    assert.is(failed.status, 1);
    assert.match(failed.stderr, /did not set up its service/);
    assert.match(failed.stderr, /Unable to set up Nucleus/);
    rmSync(machine.at("/run/shims/java-fails"));
    succeeds(machine, `${SETUP} --yes`);
  }));

testOnMachine(test, "a service that never becomes active is a failure after a bounded wait", () =>
  onMachine((machine) => {
    putBundle(machine);
    machine.write("/run/shims/start-fails", "");
    const failed = machine.run(`${SETUP} --yes`);
    assert.is(failed.status, 1);
    assert.match(failed.stderr, /not active after 60 seconds/);
  }));

testOnMachine(test, "a changed certificate in a newer bundle is put in place and the nucleus set up again", () =>
  onMachine((machine) => {
    putBundle(machine);
    succeeds(machine, `${SETUP} --yes`);
    putBundle(machine, { files: { "device.pem.crt": "a newer certificate\n" } });
    assert.is(succeeds(machine, `${SETUP} --yes`).match(/^ {2}to do /gm)?.length, 2);
    assert.is(text(machine, "/greengrass/v2/device.pem.crt"), "a newer certificate\n");
    assert.is(text(machine, "/run/shims/java-calls").trim().split("\n").length, 2);
    assert.match(succeeds(machine, `${SETUP} --yes`), /nothing to do/);
  }));

testOnMachine(test, "--check and --dry-run change nothing; --dry-run lists every step", () =>
  onMachine((machine) => {
    putBundle(machine);
    const before = machine.layer();
    assert.match(succeeds(machine, `${SETUP} --check`), /all checks passed/);
    const listed = succeeds(machine, `${SETUP} --dry-run`);
    assert.is(listed.match(/^ {2}to do /gm)?.length, 9);
    assert.equal(touched(before, machine.layer()), []);
  }));

testOnMachine(test, "without --yes and without a terminal setup.sh lists its steps, does none and ends with 4", () =>
  onMachine((machine) => {
    putBundle(machine);
    const asked = machine.run(SETUP, "y\n");
    assert.is(asked.status, 4);
    assert.match(asked.stdout, /to do/);
    assert.equal(changes(machine), []);
  }));

testOnMachine(test, "at a terminal setup.sh asks: no changes nothing, yes installs", () =>
  onMachine((machine) => {
    if (machine.run("command -v script").status !== 0) {
      console.error("\nNOT RUN (needs script, to have a terminal)");
      return;
    }
    putBundle(machine);
    const answer = (word: string) => machine.run(`script -qec "${SETUP}" /dev/null`, `${word}\n`);
    assert.is(answer("n").status, 4);
    assert.equal(changes(machine), []);
    const yes = answer("y");
    assert.is(yes.status, 0, yes.stdout);
    assert.match(yes.stdout, /Do these steps as root\?/);
    assert.is(machine.run("systemctl is-active greengrass.service").status, 0);
  }));

testOnMachine(test, "a bundle of another version than the running nucleus is refused when it would change something", () =>
  onMachine((machine) => {
    putBundle(machine);
    succeeds(machine, `${SETUP} --yes`);
    succeeds(machine, "sed -i s/2.16.0/2.17.0/ /greengrass/v2/alts/current/distro/conf/recipe.yaml");
    assert.match(succeeds(machine, `${SETUP} --yes`), /nothing to do/);
    putBundle(machine, { files: { "device.pem.crt": "a newer certificate\n" } });
    assert.match(machine.run(`${SETUP} --yes`).stderr, /nucleus 2\.17\.0 is installed.*\n.*\n.*set version = 2\.17\.0/);
  }));

testOnMachine(test, "all that is wrong with a device stands in one list, and nothing is changed", () =>
  onMachine((machine) => {
    const greengrass = { root: "/etc/greengrass", posix_user: "root", jvm_options: "-Dx=$(touch /canary)" };
    putBundle(machine, { values: { notBefore: 99_999_999_999, greengrass } });
    machine.write("/run/shims/java-version", "1.7.0_80");
    writeFileSync(machine.at("/etc/sudoers"), "root ALL=(ALL) ALL\n");
    succeeds(machine, "rm -f /usr/local/sbin/sudo /usr/bin/sudo; rm -r /run/systemd/system; ln -sf /bin/busybox /sbin/init");
    succeeds(machine, "echo x >> /home/pi/core-1/config.yaml");
    const failed = machine.run(`${SETUP} --yes`);
    assert.is(failed.status, 2);
    assert.is(machine.run("ls /canary").status, 2);
    const expected = [
      /commands are missing: sudo/, /Java 1\.7\.0_80 is too old/, /\(ALL:ALL\) ALL/, /no link to systemd/,
      /not booted with systemd/, /before the certificate begins/, /not as MANIFEST says: config\.yaml/, /posix_user root is root/,
      /root folder \/etc\/greengrass is in a system folder/, /jvm_options holds a character that a shell obeys/,
    ];
    for (const line of expected) {
      assert.match(failed.stderr, line);
    }
    assert.match(failed.stderr, /nothing was changed\n$/);
    assert.is(machine.run("ls /var/lib/dospesos").status, 2);
  }));

testOnMachine(test, "a device of another processor, or with a clock after the certificate's end, is refused", () =>
  onMachine((machine) => {
    putBundle(machine, { values: { notAfter: 1_700_000_001 } });
    machine.write("/usr/local/sbin/uname", "#!/bin/sh\necho riscv64\n", 0o755);
    const failed = machine.run(`${SETUP} --check`);
    assert.is(failed.status, 2);
    assert.match(failed.stderr, /this processor is riscv64/);
    assert.match(failed.stderr, /after the certificate's end/);
  }));

testOnMachine(test, "AWS out of reach is told by name and port before anything changes, and --offline installs without", () =>
  onMachine((machine) => {
    // Nothing listens on port 9 of this machine, and no name server knows .invalid (RFC 6761).
    putBundle(machine, { values: { reach: "localhost:9 nowhere.invalid:443" } });
    const failed = machine.run(`${SETUP} --yes`);
    assert.is(failed.status, 2);
    assert.match(failed.stderr, /no connection to localhost, port 9/);
    assert.match(failed.stderr, /the name nowhere\.invalid is not found/);
    assert.equal(changes(machine), []);
    succeeds(machine, `${SETUP} --yes --offline`);
    assert.match(succeeds(machine, `${SETUP} --yes`), /nothing to do/);
  }));

testOnMachine(test, "the nucleus zip is found beside the bundle's folder, and kept for the day when the configuration changes", () =>
  onMachine((machine) => {
    putBundle(machine);
    succeeds(machine, "mv /home/pi/core-1/greengrass-2.16.0.zip /home/pi/");
    succeeds(machine, `${SETUP} --yes`);
    succeeds(machine, "rm /home/pi/greengrass-2.16.0.zip");
    putBundle(machine, { files: { "config.yaml": `${text(machine, "/home/pi/core-1/config.yaml")}# newer\n` } });
    rmSync(machine.at("/home/pi/core-1/greengrass-2.16.0.zip"));
    succeeds(machine, `${SETUP} --yes`);
    assert.is(text(machine, "/run/shims/java-calls").trim().split("\n").length, 2);
    machine.write("/var/lib/dospesos/core-1/greengrass-2.16.0.zip", "damaged");
    putBundle(machine, { files: { "config.yaml": `${text(machine, "/home/pi/core-1/config.yaml")}# newest\n` } });
    rmSync(machine.at("/home/pi/core-1/greengrass-2.16.0.zip"));
    assert.match(machine.run(`${SETUP} --yes`).stderr, /has sha256 [0-9a-f]{64}, not /);
  }));

testOnMachine(test, "a run that was killed leaves its installer at work: the next one waits for it, then goes on", async () => {
  const machine = await openMachine();
  try {
    putBundle(machine);
    machine.write("/run/shims/java-waits", "");
    machine.run(`${SETUP} --yes & until [ -e /run/shims/java-waiting ]; do :; done; kill -9 $!`);
    const next = machine.start(`${SETUP} --yes`);
    await next.tells(/waiting: another setup\.sh/);
    rmSync(machine.at("/run/shims/java-waits"));
    assert.is((await next.end(30_000)).exit, 0, next.told);
    assert.is(machine.run("systemctl is-active greengrass.service").status, 0);
    succeeds(machine, UNINSTALL);
    assert.equal(changes(machine), []);
  } finally {
    machine.close();
  }
});

testOnMachine(test, "too little disk space and a /tmp without exec are found", () =>
  onMachine((machine) => {
    putBundle(machine);
    succeeds(machine, "mkdir -p /tmp && mount -t tmpfs -o noexec tmpfs /tmp");
    const failed = machine.run(`${SETUP} --check`);
    assert.match(failed.stderr, /MB free on \/, 256 MB needed/);
    assert.match(failed.stderr, /\/tmp is mounted noexec/);
  }, "64m"));

testOnMachine(test, "Java 8 before update 252 is refused only where port 443 is used", () =>
  onMachine((machine) => {
    machine.write("/run/shims/java-version", "1.8.0_251");
    putBundle(machine);
    succeeds(machine, `${SETUP} --check`);
    putBundle(machine, { values: { greengrass: { mqtt_port: 443 } } });
    assert.match(machine.run(`${SETUP} --check`).stderr, /Java 1\.8\.0_251 cannot use port 443/);
    machine.write("/run/shims/java-version", "1.8.0_252");
    succeeds(machine, `${SETUP} --check`);
  }));

const REFUSED_ROOTS = [
  ["/", "less than two levels"],
  ["/greengrass", "less than two levels"],
  ["/opt/../etc", "an empty, . or .. part"],
  ["greengrass/v2", "not absolute"],
  ["/usr/local/greengrass", "in a system folder"],
  ["/home/pi", "too near"],
  ["/opt/green grass", "holds a character"],
  ["/opt/$(touch /canary)", "holds a character"],
  ["/link/v2", "/link is a symbolic link"],
] as const;
for (const [root, why] of REFUSED_ROOTS) {
  testOnMachine(test, `the root folder ${root} is refused`, () =>
    onMachine((machine) => {
      succeeds(machine, "ln -s /opt /link");
      putBundle(machine, { values: { greengrass: { root } } });
      const failed = machine.run(`${SETUP} --yes`);
      assert.is(failed.status, 2);
      assert.ok(failed.stderr.includes(why), failed.stderr);
      assert.is(machine.run("ls /canary").status, 2);
    }));
}

testOnMachine(test, "a nucleus zip that is missing, changed, or of another version is refused", () =>
  onMachine((machine) => {
    putBundle(machine);
    machine.write("/home/pi/core-1/greengrass-2.16.0.zip", Buffer.concat([nucleusZip(), Buffer.from("x")]));
    assert.match(machine.run(`${SETUP} --yes`).stderr, /has sha256 [0-9a-f]{64}, not [0-9a-f]{64}/);
    rmSync(machine.at("/home/pi/core-1/greengrass-2.16.0.zip"));
    const missing = machine.run(`${SETUP} --yes`).stderr;
    assert.match(missing, /no nucleus zip at .*\n.*downloads nothing\n.*greengrass-2\.16\.0\.zip and give it with --nucleus/);
    putBundle(machine, { zip: nucleusZip("2.15.0") });
    assert.match(machine.run(`${SETUP} --yes`).stderr, /holds nucleus 2\.15\.0, config\.yaml says 2\.16\.0/);
    assert.equal(changes(machine), []);
    putBundle(machine);
    succeeds(machine, "mv /home/pi/core-1/greengrass-2.16.0.zip /home/pi/elsewhere.zip");
    succeeds(machine, `cd /home/pi && ${SETUP} --check --nucleus elsewhere.zip`);
  }));

testOnMachine(test, "a nucleus zip that was cut anywhere is refused before anything changes", () =>
  onMachine((machine) => {
    const whole = plainZip();
    putBundle(machine, { zip: whole });
    for (let length = 0; length < whole.length; length += 1000) {
      machine.write("/home/pi/core-1/greengrass-2.16.0.zip", whole.subarray(0, length));
      const refused = machine.run(`${SETUP} --yes`);
      assert.is(refused.status, 2);
      assert.match(refused.stderr, /has sha256 [0-9a-f]{64}, not /);
    }
    assert.equal(changes(machine), []);
  }));

testOnMachine(test, "another core, another Greengrass or a filled root folder is never overwritten", () =>
  onMachine((machine) => {
    putBundle(machine);
    machine.write("/greengrass/v2/config/effectiveConfig.yaml", "system:\n  thingName: \"other-7\"\n");
    machine.write("/etc/systemd/system/greengrass.service", "[Unit]\n");
    const failed = machine.run(`${SETUP} --yes`);
    assert.match(failed.stderr, /\/greengrass\/v2 is not empty, it holds the core other-7/);
    assert.match(failed.stderr, /greengrass\.service is there and not of this bundle/);
    machine.write("/var/lib/dospesos/core-9/record", "root /greengrass/v2\n");
    assert.match(machine.run(`${SETUP} --yes`).stderr, /already the core core-9/);
    assert.is(text(machine, "/etc/systemd/system/greengrass.service"), "[Unit]\n");
  }));

testOnMachine(test, "a sandbox bundle says so first, can be checked, and is installed only with --sandbox-ok", () =>
  onMachine((machine) => {
    putBundle(machine, { values: { sandbox: true } });
    assert.match(succeeds(machine, `${SETUP} --check`), /^SANDBOX: /);
    assert.match(succeeds(machine, `${SETUP} --dry-run`), /^SANDBOX: /);
    const refused = machine.run(`${SETUP} --yes`);
    assert.is(refused.status, 2);
    assert.match(refused.stderr, /cannot reach AWS/);
    succeeds(machine, `${SETUP} --yes --sandbox-ok`);
    assert.match(succeeds(machine, UNINSTALL), /^SANDBOX: /);
  }));

for (const shell of ["bash", "busybox sh"]) {
  testOnMachine(test, `install, second run and uninstall under ${shell}`, () =>
    onMachine((machine) => {
      const [program] = shell.split(" ");
      if (machine.run(`command -v ${program}`).status !== 0) {
        console.error(`\nNOT RUN (needs ${shell})`);
        return;
      }
      putBundle(machine);
      if (shell.startsWith("busybox")) {
        // Its own find, awk, sed, df, sha256sum … before those of the system.
        succeeds(machine, `for name in $(busybox --list); do
          [ -e /usr/local/sbin/$name ] || [ $name = ps ] || ln -s $(command -v busybox) /usr/local/sbin/$name
        done`);
      }
      const before = new Set(changes(machine));
      succeeds(machine, `${shell} /home/pi/core-1/setup.sh --yes`);
      assert.match(succeeds(machine, `${shell} /home/pi/core-1/setup.sh --yes`), /nothing to do/);
      succeeds(machine, `${shell} /var/lib/dospesos/core-1/uninstall.sh --yes`);
      assert.equal(changes(machine).filter((path) => !before.has(path)), []);
    }));
}

test.run();

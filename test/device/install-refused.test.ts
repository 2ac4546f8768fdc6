// What setup.sh refuses, before it changes anything.
import { rmSync, writeFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { nucleusZip, putBundle } from "./coreBundle.ts";
import { changes, onMachine, SETUP, succeeds, text, UNINSTALL } from "./installing.ts";
import { testOnMachine } from "./machine.ts";
import { plainZip } from "./nucleus-zip.ts";

testOnMachine(
  test,
  "a bundle of another version than the running nucleus is refused when it would change something",
  () =>
    onMachine((machine) => {
      putBundle(machine);
      succeeds(machine, `${SETUP} --yes`);
      succeeds(machine, "sed -i s/2.16.0/2.17.0/ /greengrass/v2/alts/current/distro/conf/recipe.yaml");
      assert.match(succeeds(machine, `${SETUP} --yes`), /nothing to do/);
      putBundle(machine, { files: { "device.pem.crt": "a newer certificate\n" } });
      assert.match(
        machine.run(`${SETUP} --yes`).stderr,
        /nucleus 2\.17\.0 is installed.*\n.*\n.*set version = 2\.17\.0/,
      );
    }),
);

testOnMachine(
  test,
  "a bundle of another account, region or environment is refused, also for the core of the same name",
  () =>
    onMachine((machine) => {
      putBundle(machine);
      succeeds(machine, `${SETUP} --yes`);
      const before = changes(machine);
      putBundle(machine, { values: { world: "123456789012 eu-west-1 dospesos prod" } });
      const refused = machine.run(`${SETUP} --yes`);
      assert.is(refused.status, 2);
      assert.match(
        refused.stderr,
        /core-1 here is the one of 123456789012 eu-west-1 dospesos, the bundle is for 123456789012 eu-west-1 dospesos prod/,
      );
      assert.equal(changes(machine), before);
      succeeds(machine, UNINSTALL);
      succeeds(machine, `${SETUP} --yes`);
    }),
);

testOnMachine(test, "all that is wrong with a device is in one list, and nothing is changed", () =>
  onMachine((machine) => {
    const greengrass = { root: "/etc/greengrass", posix_user: "root", jvm_options: "-Dx=$(touch /canary)" };
    putBundle(machine, { values: { notBefore: 99_999_999_999, greengrass } });
    machine.write("/run/shims/java-version", "1.7.0_80");
    writeFileSync(machine.at("/etc/sudoers"), "root ALL=(ALL) ALL\n");
    succeeds(
      machine,
      "rm -f /usr/local/sbin/sudo /usr/bin/sudo; rm -r /run/systemd/system; ln -sf /bin/busybox /sbin/init",
    );
    succeeds(machine, "echo x >> /home/pi/core-1/config.yaml");
    const failed = machine.run(`${SETUP} --yes`);
    assert.is(failed.status, 2);
    assert.is(machine.run("ls /canary").status, 2);
    const expected = [
      /commands are missing: sudo/,
      /Java 1\.7\.0_80 is too old/,
      /\(ALL:ALL\) ALL/,
      /no link to systemd/,
      /not booted with systemd/,
      /before the certificate begins/,
      /not as MANIFEST says: config\.yaml/,
      /posix_user root is root/,
      /root folder \/etc\/greengrass is in a system folder/,
      /jvm_options holds a character that a shell obeys/,
    ];
    for (const line of expected) {
      assert.match(failed.stderr, line);
    }
    assert.match(failed.stderr, /nothing was changed\n$/);
    assert.is(machine.run("ls /var/lib/dospesos").status, 2);
  }),
);

testOnMachine(
  test,
  "a device of another processor, or with a clock after the certificate's end, is refused",
  () =>
    onMachine((machine) => {
      putBundle(machine, { values: { notAfter: 1_700_000_001 } });
      machine.write("/usr/local/sbin/uname", "#!/bin/sh\necho riscv64\n", 0o755);
      const failed = machine.run(`${SETUP} --check`);
      assert.is(failed.status, 2);
      assert.match(failed.stderr, /this processor is riscv64/);
      assert.match(failed.stderr, /after the certificate's end/);
    }),
);

testOnMachine(
  test,
  "AWS out of reach is reported by name and port before anything changes, and --offline installs without",
  () =>
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
    }),
);

testOnMachine(test, "too little disk space and a /tmp without exec are found", () =>
  onMachine((machine) => {
    putBundle(machine);
    succeeds(machine, "mkdir -p /tmp && mount -t tmpfs -o noexec tmpfs /tmp");
    const failed = machine.run(`${SETUP} --check`);
    assert.match(failed.stderr, /MB free on \/, 256 MB needed/);
    assert.match(failed.stderr, /\/tmp is mounted noexec/);
  }, "64m"),
);

testOnMachine(test, "Java 8 before update 252 is refused only where port 443 is used", () =>
  onMachine((machine) => {
    machine.write("/run/shims/java-version", "1.8.0_251");
    putBundle(machine);
    succeeds(machine, `${SETUP} --check`);
    putBundle(machine, { values: { greengrass: { mqtt_port: 443 } } });
    assert.match(machine.run(`${SETUP} --check`).stderr, /Java 1\.8\.0_251 cannot use port 443/);
    machine.write("/run/shims/java-version", "1.8.0_252");
    succeeds(machine, `${SETUP} --check`);
  }),
);

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
    }),
  );
}

testOnMachine(test, "a nucleus zip that is missing, changed, or of another version is refused", () =>
  onMachine((machine) => {
    putBundle(machine);
    machine.write("/home/pi/core-1/greengrass-2.16.0.zip", Buffer.concat([nucleusZip(), Buffer.from("x")]));
    assert.match(machine.run(`${SETUP} --yes`).stderr, /has sha256 [0-9a-f]{64}, not [0-9a-f]{64}/);
    rmSync(machine.at("/home/pi/core-1/greengrass-2.16.0.zip"));
    const missing = machine.run(`${SETUP} --yes`).stderr;
    assert.match(
      missing,
      /no nucleus zip at .*\n.*downloads nothing\n.*greengrass-2\.16\.0\.zip and give it with --nucleus/,
    );
    putBundle(machine, { zip: nucleusZip("2.15.0") });
    assert.match(machine.run(`${SETUP} --yes`).stderr, /holds nucleus 2\.15\.0, config\.yaml says 2\.16\.0/);
    assert.equal(changes(machine), []);
    putBundle(machine);
    succeeds(machine, "mv /home/pi/core-1/greengrass-2.16.0.zip /home/pi/elsewhere.zip");
    succeeds(machine, `cd /home/pi && ${SETUP} --check --nucleus elsewhere.zip`);
  }),
);

testOnMachine(test, "a nucleus zip that was interrupted anywhere is refused before anything changes", () =>
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
  }),
);

testOnMachine(test, "another core, another Greengrass or a filled root folder is never overwritten", () =>
  onMachine((machine) => {
    putBundle(machine);
    machine.write("/greengrass/v2/config/effectiveConfig.yaml", 'system:\n  thingName: "other-7"\n');
    machine.write("/etc/systemd/system/greengrass.service", "[Unit]\n");
    const failed = machine.run(`${SETUP} --yes`);
    assert.match(failed.stderr, /\/greengrass\/v2 is not empty, it holds the core other-7/);
    assert.match(failed.stderr, /greengrass\.service is there and not of this bundle/);
    succeeds(machine, "rm /etc/systemd/system/greengrass.service");
    machine.write("/lib/systemd/system/greengrass-lite.target", "[Unit]\n");
    assert.match(machine.run(`${SETUP} --yes`).stderr, /AWS's nucleus lite is there and not of this bundle/);
    succeeds(machine, "rm /lib/systemd/system/greengrass-lite.target");
    machine.write("/etc/systemd/system/greengrass.service", "[Unit]\n");
    machine.write("/var/lib/dospesos/core-9/record", "root /greengrass/v2\n");
    assert.match(machine.run(`${SETUP} --yes`).stderr, /already the core core-9/);
    assert.is(text(machine, "/etc/systemd/system/greengrass.service"), "[Unit]\n");
  }),
);

testOnMachine(
  test,
  "a sandbox bundle says so first, can be checked, and is installed only with --sandbox-ok",
  () =>
    onMachine((machine) => {
      putBundle(machine, { values: { sandbox: true } });
      assert.match(succeeds(machine, `${SETUP} --check`), /^SANDBOX: /);
      assert.match(succeeds(machine, `${SETUP} --dry-run`), /^SANDBOX: /);
      const refused = machine.run(`${SETUP} --yes`);
      assert.is(refused.status, 2);
      assert.match(refused.stderr, /the sandbox simulates its core/);
      succeeds(machine, `${SETUP} --yes --sandbox-ok`);
      assert.match(succeeds(machine, UNINSTALL), /^SANDBOX: /);
    }),
);

testOnMachine(
  test,
  "a sandbox bundle for a device trusts the sandbox's CA, and needs no more consent (H4)",
  () =>
    onMachine((machine) => {
      putBundle(machine, { values: { sandbox: true, isDevice: true } });
      assert.match(succeeds(machine, `${SETUP} --yes`), /SandboxCA\.pem/);
      assert.match(
        succeeds(machine, "cat /greengrass/v2/config/effectiveConfig.yaml"),
        /rootCaPath: ".*\/SandboxCA\.pem"/,
      );
      assert.is(succeeds(machine, "cat /greengrass/v2/SandboxCA.pem"), "the CA\n");
      succeeds(machine, UNINSTALL);
    }),
);

test.run();

import { lstatSync, rmSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { putBundle } from "./coreBundle.ts";
import { changes, onMachine, SETUP, succeeds, text, UNINSTALL } from "./installing.ts";
import { testOnMachine } from "./machine.ts";

/** The paths outside of /run that are not the same in both. */
function touched(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => !/^\/run(\/|$)/.test(path),
  );
  return paths.filter((path) => before.get(path) !== after.get(path));
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
    assert.match(
      call,
      /^-Xmx128m -Droot=\/greengrass\/v2 -Dlog\.store=FILE -jar \S+\.jar --init-config \S+\.yaml /,
    );
    assert.match(call, / --component-default-user ggc_user:ggc_group --setup-system-service true\n$/);
    const atThatTime = text(machine, "/run/shims/private.pem.key");
    assert.is(atThatTime, "CANARY of the private key\n", "the key was in place before the service was made");
    assert.is(
      machine.run("ls /var/lib/dospesos/core-1").stdout,
      "greengrass-2.16.0.zip\nlog\nrecord\nuninstall.sh\n",
    );
    assert.not.match(text(machine, "/var/lib/dospesos/core-1/log"), /CANARY/);
  }),
);

testOnMachine(test, "a second setup.sh changes no file and starts nothing again", () =>
  onMachine((machine) => {
    putBundle(machine);
    succeeds(machine, `${SETUP} --yes`);
    rmSync(machine.at("/run/shims/systemctl-calls"));
    const before = machine.layer();
    assert.match(succeeds(machine, `${SETUP} --yes`), /nothing to do/);
    assert.equal(touched(before, machine.layer()), []);
    assert.not.match(text(machine, "/run/shims/systemctl-calls"), /start|stop/);
  }),
);

testOnMachine(
  test,
  "uninstall.sh leaves the machine as it was before setup.sh, and a second one has nothing to do",
  () =>
    onMachine((machine) => {
      putBundle(machine);
      succeeds(machine, `${SETUP} --yes`);
      succeeds(machine, "cp /var/lib/dospesos/core-1/uninstall.sh /run/uninstall.sh");
      assert.match(succeeds(machine, UNINSTALL), /cloud part .* stays/);
      assert.equal(changes(machine), []);
      assert.is(machine.run("getent passwd ggc_user").status, 2);
      assert.match(succeeds(machine, "sh /run/uninstall.sh --yes"), /nothing to do/);
      assert.match(succeeds(machine, `${SETUP} --uninstall --yes`), /nothing to do/);
    }),
);

testOnMachine(test, "uninstall.sh keeps and names a file, user and group that setup.sh did not make", () =>
  onMachine((machine) => {
    putBundle(machine);
    succeeds(
      machine,
      "groupadd --system ggc_group && useradd --system --user-group ggc_user && mkdir /greengrass",
    );
    succeeds(machine, `${SETUP} --yes`);
    machine.write("/greengrass/v2/notes.txt", "mine\n");
    const said = succeeds(machine, UNINSTALL);
    assert.match(said, /kept.*\n {2}\/greengrass\/v2, with: .*notes\.txt/);
    assert.is(text(machine, "/greengrass/v2/notes.txt"), "mine\n");
    assert.is(machine.run("ls /greengrass/v2").stdout, "notes.txt\n");
    const groups = machine.run("id -Gn ggc_user").stdout.trim();
    assert.is(groups, "ggc_user", "it is no longer in the group that setup.sh put it into");
    assert.is(machine.run("getent group ggc_group").status, 0);
  }),
);

testOnMachine(
  test,
  "a changed certificate in a newer bundle is put in place and the nucleus set up again",
  () =>
    onMachine((machine) => {
      putBundle(machine);
      succeeds(machine, `${SETUP} --yes`);
      putBundle(machine, { files: { "device.pem.crt": "a newer certificate\n" } });
      assert.is(succeeds(machine, `${SETUP} --yes`).match(/^ {2}to do /gm)?.length, 2);
      assert.is(text(machine, "/greengrass/v2/device.pem.crt"), "a newer certificate\n");
      assert.is(text(machine, "/run/shims/java-calls").trim().split("\n").length, 2);
      assert.match(succeeds(machine, `${SETUP} --yes`), /nothing to do/);
    }),
);

testOnMachine(test, "--check and --dry-run change nothing; --dry-run lists every step", () =>
  onMachine((machine) => {
    putBundle(machine);
    const before = machine.layer();
    assert.match(succeeds(machine, `${SETUP} --check`), /all checks passed/);
    const listed = succeeds(machine, `${SETUP} --dry-run`);
    assert.is(listed.match(/^ {2}to do /gm)?.length, 9);
    assert.equal(touched(before, machine.layer()), []);
  }),
);

testOnMachine(
  test,
  "without --yes and without a terminal setup.sh lists its steps, does none and ends with 4",
  () =>
    onMachine((machine) => {
      putBundle(machine);
      const asked = machine.run(SETUP, "y\n");
      assert.is(asked.status, 4);
      assert.match(asked.stdout, /to do/);
      assert.equal(changes(machine), []);
    }),
);

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
  }),
);

testOnMachine(
  test,
  "the nucleus zip is found beside the bundle's folder, and kept for the day when the configuration changes",
  () =>
    onMachine((machine) => {
      putBundle(machine);
      succeeds(machine, "mv /home/pi/core-1/greengrass-2.16.0.zip /home/pi/");
      succeeds(machine, `${SETUP} --yes`);
      succeeds(machine, "rm /home/pi/greengrass-2.16.0.zip");
      putBundle(machine, {
        files: { "config.yaml": `${text(machine, "/home/pi/core-1/config.yaml")}# newer\n` },
      });
      rmSync(machine.at("/home/pi/core-1/greengrass-2.16.0.zip"));
      succeeds(machine, `${SETUP} --yes`);
      assert.is(text(machine, "/run/shims/java-calls").trim().split("\n").length, 2);
      machine.write("/var/lib/dospesos/core-1/greengrass-2.16.0.zip", "damaged");
      putBundle(machine, {
        files: { "config.yaml": `${text(machine, "/home/pi/core-1/config.yaml")}# newest\n` },
      });
      rmSync(machine.at("/home/pi/core-1/greengrass-2.16.0.zip"));
      assert.match(machine.run(`${SETUP} --yes`).stderr, /has sha256 [0-9a-f]{64}, not /);
    }),
);

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
        succeeds(
          machine,
          `for name in $(busybox --list); do
          [ -e /usr/local/sbin/$name ] || [ $name = ps ] || ln -s $(command -v busybox) /usr/local/sbin/$name
        done`,
        );
      }
      const before = new Set(changes(machine));
      succeeds(machine, `${shell} /home/pi/core-1/setup.sh --yes`);
      assert.match(succeeds(machine, `${shell} /home/pi/core-1/setup.sh --yes`), /nothing to do/);
      succeeds(machine, `${shell} /var/lib/dospesos/core-1/uninstall.sh --yes`);
      assert.equal(
        changes(machine).filter((path) => !before.has(path)),
        [],
      );
    }),
  );
}

test.run();

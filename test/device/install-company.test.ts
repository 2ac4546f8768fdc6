// Devices that other people use, too, and installers that were cut at the worst moment.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { putBundle } from "./coreBundle.ts";
import { changes, onMachine, SETUP, succeeds, text, UNINSTALL } from "./installing.ts";
import { repository } from "../support/clone.ts";
import { openMachine, testOnMachine } from "./machine.ts";

const RECORD = "/var/lib/dospesos/core-1/record";

testOnMachine(
  test,
  "settings that go from A to B and back to A are installed each time, and told as done once (B1)",
  () =>
    onMachine((machine) => {
      const config = (level: string) => ({ files: { "config.yaml": `${original}# ${level}\n` } });
      putBundle(machine);
      const original = text(machine, "/home/pi/core-1/config.yaml");
      for (const [index, level] of ["INFO", "DEBUG", "INFO"].entries()) {
        putBundle(machine, config(level));
        succeeds(machine, `${SETUP} --yes`);
        assert.is(text(machine, "/run/shims/java-calls").trim().split("\n").length, index + 1);
        assert.match(succeeds(machine, `${SETUP} --yes`), /nothing to do/);
      }
      assert.is(text(machine, RECORD).match(/^installed /gm)?.length, 1);
      succeeds(machine, UNINSTALL);
      assert.equal(changes(machine), []);
    }),
);

testOnMachine(
  test,
  "an installer that fails on the way from A to B leaves nothing that passes for installed (B1)",
  () =>
    onMachine((machine) => {
      putBundle(machine);
      succeeds(machine, `${SETUP} --yes`);
      const original = text(machine, "/home/pi/core-1/config.yaml");
      putBundle(machine, { files: { "config.yaml": `${original}# B\n` } });
      machine.write("/run/shims/java-fails", "");
      assert.is(machine.run(`${SETUP} --yes`).status, 1);
      rmSync(machine.at("/run/shims/java-fails"));
      putBundle(machine, { files: { "config.yaml": original } });
      assert.match(succeeds(machine, `${SETUP} --yes`), /install nucleus/);
      assert.match(succeeds(machine, `${SETUP} --yes`), /nothing to do/);
    }),
);

testOnMachine(test, "what an installer left that was cut counts for nothing: the next run goes on (B9)", () =>
  onMachine((machine) => {
    putBundle(machine);
    succeeds(machine, `${SETUP} --yes`);
    succeeds(
      machine,
      `sed -i '/^installed /d' ${RECORD}; : > /greengrass/v2/alts/current/distro/conf/recipe.yaml`,
    );
    succeeds(machine, `${SETUP} --yes`);
    assert.match(succeeds(machine, `${SETUP} --yes`), /nothing to do/);
  }),
);

testOnMachine(test, "a root folder that others own or may write to, or below one, is refused (B2)", () =>
  onMachine((machine) => {
    putBundle(machine);
    for (const prepared of [
      "mkdir -p /greengrass/v2 && chown 1000 /greengrass",
      "chown 0 /greengrass && chown 1000 /greengrass/v2",
      "chown 0 /greengrass/v2 && chmod o+w /greengrass/v2",
      "chmod o-w /greengrass/v2 && chgrp 1000 /greengrass && chmod g+w /greengrass",
    ]) {
      succeeds(machine, prepared);
      const refused = machine.run(`${SETUP} --yes`);
      assert.is(refused.status, 2, prepared);
      assert.match(refused.stderr, /is not root's own, or others may write to it/);
    }
    succeeds(machine, "chmod g-w /greengrass");
    succeeds(machine, `${SETUP} --yes`);
    succeeds(machine, "mkdir /opt/precious && touch /opt/precious/file && chown 1000 /greengrass");
    succeeds(machine, "rm -rf /greengrass/v2/work && ln -s /opt/precious /greengrass/v2/work");
    assert.match(
      succeeds(machine, UNINSTALL),
      /not done, because setup\.sh writes no such lines[^]*\/greengrass\/v2/,
    );
    assert.is(machine.run("test -e /opt/precious/file").status, 0);
    assert.is(machine.run("test -e /greengrass/v2/private.pem.key").status, 0);
  }),
);

testOnMachine(test, "a record that is torn or altered takes nothing along at uninstall (B11)", () =>
  onMachine((machine) => {
    putBundle(machine);
    succeeds(machine, `${SETUP} --yes`);
    succeeds(machine, "mkdir -p /srv/mine/bin && touch /srv/mine/bin/tool");
    for (const line of [
      "root /",
      "root /usr",
      "root /var/lib",
      "root /home/pi",
      "root /srv/../usr",
      "file /etc/passwd",
      "user root",
      "group sudo x",
    ]) {
      succeeds(machine, `printf '%s\\n' '${line}' >> ${RECORD}`);
    }
    succeeds(machine, `printf 'root /srv/mine' >> ${RECORD}`);
    const said = succeeds(machine, UNINSTALL);
    assert.match(said, /writes no such lines[^]*\n {2}user root\n[^]*\n {2}root \/usr\n {2}root \/\n/);
    for (const path of ["/bin/sh", "/usr/bin/env", "/etc/passwd", "/srv/mine/bin/tool"]) {
      assert.is(machine.run(`/bin/sh -c 'test -e ${path}'`).status, 0, path);
    }
    assert.is(machine.run("test -e /greengrass").status, 1);
  }),
);

testOnMachine(
  test,
  "a program that fails in a step is reported with the step, and the exit code is 1 (B12)",
  () =>
    onMachine((machine) => {
      putBundle(machine);
      machine.write("/usr/local/sbin/useradd", "#!/bin/sh\necho useradd: no room >&2\nexit 4\n", 0o755);
      const failed = machine.run(`${SETUP} --yes`);
      assert.is(failed.status, 1, failed.stderr);
      assert.match(
        failed.stderr,
        /useradd: no room\nerror: it did not work: make the system user ggc_user\n {2}fix: /,
      );
      rmSync(machine.at("/usr/local/sbin/useradd"));
      succeeds(machine, `${SETUP} --yes`);
    }),
);

testOnMachine(
  test,
  "of two cores that are set up on one device at the same time one is refused (B10)",
  async () => {
    const machine = await openMachine();
    try {
      putBundle(machine);
      succeeds(machine, "cp -r /home/pi/core-1 /home/pi/core-2");
      succeeds(machine, "sed -i \"s/^THING=.*/THING='core-2'/\" /home/pi/core-2/setup.sh");
      succeeds(
        machine,
        'cd /home/pi/core-2 && sum=$(sha256sum setup.sh) && sed -i "s/^.*  setup.sh$/${sum%% *}  setup.sh/" MANIFEST',
      );
      // The second one has looked, and asks; meanwhile the first one installs.
      const second = machine.start(
        '(until [ -e /run/go ]; do sleep 0.05; done; echo y) | script -qec "sh /home/pi/core-2/setup.sh" /dev/null',
      );
      await second.tells(/Do these steps as root\?/);
      succeeds(machine, `${SETUP} --yes`);
      succeeds(machine, "touch /run/go");
      const refused = await second.end(30_000);
      assert.is(refused.exit, 2, second.told);
      assert.match(second.told, /this device is already the core core-1/);
      succeeds(machine, UNINSTALL);
      assert.equal(
        changes(machine).filter((path) => !path.startsWith("/home/pi/")),
        [],
      );
    } finally {
      machine.close();
    }
  },
);

test("uninstall.sh obeys no root folder that setup.sh would refuse: both have the same list", () => {
  const [setup, uninstall] = ["classic.sh", "uninstall.sh"].map(
    (name) => /\/bin\/\* \| [^)]*\)/.exec(readFileSync(join(repository, "edge/installer", name), "utf8"))![0],
  );
  assert.is(uninstall, setup);
});

test.run();

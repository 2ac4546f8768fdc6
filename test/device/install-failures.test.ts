// Runs of setup.sh that are killed, or whose nucleus does not come up, and what the next run makes of them.
import { rmSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { putBundle } from "./coreBundle.ts";
import { changes, onMachine, SETUP, succeeds, UNINSTALL } from "./installing.ts";
import { openMachine, testOnMachine } from "./machine.ts";

testOnMachine(
  test,
  "setup.sh killed at any point goes on when it is run again, and then uninstalls to nothing",
  () =>
    onMachine((machine) => {
      putBundle(machine);
      let kills = 0;
      for (let point = 1; ; point++) {
        machine.run("rm -f /run/shims/*");
        machine.write("/run/shims/kill-at", `${point}`);
        const killed = machine.run(`${SETUP} --yes`);
        if (killed.status === 0) {
          break;
        }
        assert.is(killed.status, 137, killed.stderr);
        kills += 1;
        rmSync(machine.at("/run/shims/kill-at"));
        // Every second time the next thing is not another try but the uninstaller, on what is there by then.
        if (point % 2 === 0) {
          succeeds(machine, `${SETUP} --yes`);
        }
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
    }),
);

testOnMachine(test, "setup.sh killed within the nucleus' installer goes on when it is run again", () =>
  onMachine((machine) => {
    putBundle(machine);
    machine.write("/run/shims/java-killed", "");
    assert.is(machine.run(`${SETUP} --yes`).status, 137);
    succeeds(machine, `${SETUP} --yes`);
    assert.ok(machine.run("systemctl is-active greengrass.service").status === 0);
    succeeds(machine, UNINSTALL);
    assert.equal(changes(machine), []);
  }),
);

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
  }),
);

testOnMachine(test, "a service that never becomes active is a failure after a bounded wait", () =>
  onMachine((machine) => {
    putBundle(machine);
    machine.write("/run/shims/start-fails", "");
    const failed = machine.run(`${SETUP} --yes`);
    assert.is(failed.status, 1);
    assert.match(failed.stderr, /not active after 60 seconds/);
  }),
);

testOnMachine(
  test,
  "a run that was killed leaves its installer at work: the next one waits for it, then goes on",
  async () => {
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
  },
);

test.run();

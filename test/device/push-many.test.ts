// Many devices at once, some broken in different ways: the others are installed, the broken ones named and done later.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openMachine, type Machine } from "./machine.ts";
import { isActive, site } from "./pushing.ts";
import { freePort, startSshd, testOverSsh, type Daemon } from "./sshd.ts";

const test = suite("push to many");
const SIZE = Number(process.env["DOSPESOS_DEVICES"] ?? "6");

testOverSsh(
  test,
  ["tar", "openssl"],
  `push of ${SIZE} cores: three are broken and named, --only failed does those`,
  async () => {
    const cores = Array.from({ length: SIZE }, (_, index) => `core-${index + 1}`);
    const here = site(cores);
    const devices: { machine: Machine; daemon: Daemon }[] = [];
    try {
      for (const core of cores) {
        const machine = await openMachine();
        const daemon = await startSshd(machine, here.client);
        devices.push({ machine, daemon });
        here.client.knows(core, daemon.hostKey);
      }
      // Nobody listens there yet.
      const nobody = await freePort();
      cores.forEach((core, index) =>
        here.client.alias(core, index === SIZE - 3 ? nobody : devices[index]!.daemon.port),
      );
      // Something is in the way; another core is there already.
      const [silent, full, other] = devices.slice(-3) as [
        (typeof devices)[0],
        (typeof devices)[0],
        (typeof devices)[0],
      ];
      full.machine.write("/root/.dospesos", "in the way");
      other.machine.write("/var/lib/dospesos/elsewhere/record", "root /greengrass/v2\n");
      const first = await here.push("--yes", "--sandbox-ok", "-j", "4").end(240_000);
      assert.is(first.exit, 1, first.stderr);
      assert.ok(
        first.stderr.includes(`${SIZE - 3} done, 3 failed: dospesos push --only failed`),
        first.stderr,
      );
      assert.equal(
        devices.map(({ machine }) => isActive(machine)),
        cores.map((_, index) => index < SIZE - 3),
      );
      for (const core of cores.slice(-3)) {
        assert.match(first.stderr, new RegExp(`${core} +failed: `));
      }
      const config = join(here.client.folder, "config");
      writeFileSync(
        config,
        readFileSync(config, "utf8").replace(`Port ${nobody}`, `Port ${silent.daemon.port}`),
      );
      rmSync(full.machine.at("/root/.dospesos"));
      rmSync(other.machine.at("/var/lib/dospesos/elsewhere"), { recursive: true });
      const second = await here.push("--yes", "--sandbox-ok", "--only", "failed").end(240_000);
      assert.is(second.exit, 0, second.stderr);
      assert.match(second.stderr, "3 done, 0 failed");
      assert.ok(devices.every(({ machine }) => isActive(machine)));
      assert.is((await here.pushed("--status")).exit, 0);
      const pending = await here.pushed("--yes", "--sandbox-ok", "--only", "pending");
      assert.match(pending.stderr, "nothing to push");
    } finally {
      for (const { machine, daemon } of devices) {
        daemon.process.kill("SIGTERM");
        machine.close();
      }
    }
  },
);

test.run();

// What `dospesos check` sees of a device over a real ssh, with an sshd, keys and known hosts of its own.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Link } from "../../lib/check/chain.ts";
import { ssh } from "../../lib/device/ssh.ts";
import { ProblemError } from "../../lib/problem/index.ts";
import { Started, type Ended } from "../support/bin.ts";
import { runningDevices, type Devices } from "../support/devices.ts";
import { becomes } from "../support/folder.ts";
import { openMachine, type Machine } from "../device/machine.ts";
import { Client, freePort, startSshd, testOverSsh } from "../device/sshd.ts";

const test = suite("check over ssh");

interface Site {
  readonly machine: Machine;
  readonly client: Client;
  readonly devices: Devices;
  /** Starts `check core-1` with this host. */
  start: (host: string) => Started;
}

/** A sandbox whose core runs, and a machine that stands for the device; ssh reaches it as core-1. */
let site: Site | undefined;
async function opened(): Promise<Site> {
  if (site !== undefined) {
    return site;
  }
  const [machine, devices, client] = [await openMachine(), await runningDevices(), new Client()];
  const { port, hostKey } = await startSshd(machine, client);
  client.alias("core-1", port);
  client.knows("core-1", hostKey);
  client.alias("stranger", port);
  client.alias("nowhere", await freePort());
  const settings = readFileSync(devices.path("settings.ini"), "utf8");
  const start = (host: string): Started => {
    writeFileSync(
      devices.path("settings.ini"),
      settings.replace("[core core-1]\n", `[core core-1]\nhost = ${host}\n`),
    );
    return new Started(
      devices.clone.root,
      process.execPath,
      [devices.path("lib/cli/bin.cjs"), "check", "core-1", "--json"],
      { env: client.environment },
    );
  };
  return (site = { machine, devices, client, start });
}
test.after(() => {
  site?.devices.stop();
  site?.machine.close();
});

/** The first link of the core's chain, which says what ssh saw. */
function service({ stdout, stderr }: Ended): Link {
  const [first = ""] = stdout.split("\n");
  assert.is.not(first, "", stderr);
  return (JSON.parse(first) as { links: Link[] }).links[0]!;
}

testOverSsh(test, [], "a service that is active is ok, one that is not is broken", async () => {
  const { machine, client, start } = await opened();
  machine.write("/run/shims/active", "");
  const active = await start("core-1").end(30_000);
  assert.is(active.exit, 0, active.stderr);
  assert.equal(service(active), {
    link: "service active",
    state: "ok",
    what: "greengrass is active on core-1",
  });
  machine.run("rm /run/shims/active");
  const inactive = await start("core-1").end(30_000);
  assert.is(inactive.exit, 1);
  assert.match(service(inactive).what, "greengrass is inactive on core-1");
  assert.is(service(inactive).cause, "the service is inactive");
  assert.not.match(client.calls, /StrictHostKeyChecking|UserKnownHostsFile|GlobalKnownHosts|HostKeyAlias/);
});

testOverSsh(
  test,
  [],
  "what keeps ssh from a device is reported; its service is unchecked then, which breaks no chain",
  async () => {
    const { client, start } = await opened();
    const known = readFileSync(join(client.folder, "known_hosts"), "utf8");
    const reasons = {
      stranger: /^the host key of stranger is not known here$/,
      nowhere: /^no connection to nowhere: .*refused$/,
    };
    for (const [host, reason] of Object.entries(reasons)) {
      const ended = await start(host).end(30_000);
      assert.is(ended.exit, 0, ended.stderr);
      const link = service(ended);
      assert.is(link.state, "unchecked");
      assert.match(link.what, reason);
      assert.is(link.fix, `ssh ${host} must work without a password`);
    }
    assert.is(readFileSync(join(client.folder, "known_hosts"), "utf8"), known, "nobody is trusted by itself");
  },
);

testOverSsh(test, [], "Ctrl-C ends a check that waits for a device that hangs", async () => {
  const { machine, start } = await opened();
  machine.write(
    "/usr/local/sbin/systemctl",
    "#!/bin/sh\necho yes > /run/asked\nexec tail -f /dev/null\n",
    0o755,
  );
  const check = start("core-1");
  await becomes(machine.at("/run"), "asked", (text) => text !== "");
  check.kill("SIGINT");
  const { exit, stdout, stderr } = await check.end(5000);
  assert.is(exit, 130);
  assert.match(stdout, /^\{"type":"exit","command":"check","exit":130,"ms":\d+\}\n$/);
  assert.not.match(stderr, /error/);
});

testOverSsh(test, [], "a device that hangs is waited for as long as was said", async () => {
  const { machine, client } = await opened();
  machine.write("/usr/local/sbin/systemctl", "#!/bin/sh\nexec tail -f /dev/null\n", 0o755);
  const path = process.env["PATH"];
  process.env["PATH"] = client.environment["PATH"];
  try {
    await ssh(
      { host: "core-1", interactive: false, signal: new AbortController().signal },
      { script: "systemctl is-active greengrass\n" },
      { silence: 1000 },
    );
    assert.unreachable();
  } catch (error) {
    assert.instance(error, ProblemError);
    assert.match((error as ProblemError).message, "core-1 gave no answer for 1 s");
  } finally {
    process.env["PATH"] = path;
  }
});

test.run();

// The power goes at a random call of a setup, of a change and back, and of an uninstall: what runs next converges.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { randomNumbers, torture } from "../support/random.ts";
import { testWhere, toolPath } from "../support/tools.ts";
import { putBundle } from "./coreBundle.ts";
import { changes, onMachine, SETUP, succeeds, text, UNINSTALL } from "./installing.ts";
import { testOnMachine, type Machine } from "./machine.ts";

/** Calls that change files, and starts of programs. */
const CALLS =
  "execve,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat," +
  "chmod,fchmod,fchmodat,chown,fchown,fchownat,ftruncate,fsync,sync,syncfs";

/** Counts the calls that strace tells, and ends the whole session at one of them. */
const COUNTER = `#!/bin/sh
count=0
while IFS= read -r line; do
  count=$((count + 1))
  if [ "$count" = "$1" ]; then pkill -KILL -s "$(cat /run/cut.session)"; fi
done
echo "$count" > /run/cut.count
`;

/** Runs a command until a call of it, at which everything that it started ends at once. Gives its exit code. */
function cutAt(machine: Machine, call: number, command: string): number | null {
  machine.write("/run/cut.sh", COUNTER, 0o755);
  const traced = `strace -f -qq -e trace=${CALLS} -o "|/run/cut.sh ${call}" ${command}`;
  machine.write("/run/cut.run", `echo $$ > /run/cut.session\nexec ${traced}\n`);
  return machine.run("setsid -w sh /run/cut.run > /run/cut.log 2>&1").status;
}

/** How many calls a command makes. */
function callsOf(machine: Machine, command: string): number {
  assert.is(cutAt(machine, 0, command), 0, machine.run("tail -n 5 /run/cut.log").stdout);
  // The counter ends a moment after what it counts.
  return Number(
    succeeds(machine, "until [ -s /run/cut.count ]; do :; done; cat /run/cut.count; rm /run/cut.count"),
  );
}

/** The private key is root's own wherever a copy of it lies, and nothing of the core may be written by others. */
function gainsNobodyAnything(machine: Machine, when: string): void {
  const found = machine.run(
    "find /greengrass /var/lib/dospesos -name 'private.pem.key*' -perm /077 2> /dev/null; " +
      "find /greengrass /var/lib/dospesos ! -type l -perm /022 2> /dev/null",
  ).stdout;
  assert.is(found, "", when);
}

function put(machine: Machine, level: string): void {
  putBundle(machine, { values: { greengrass: { log_level: level } } });
}

/** The log level that the nucleus runs with. */
const levelIn = (machine: Machine): string | undefined =>
  /level: "(\w+)"/.exec(text(machine, "/greengrass/v2/config/effectiveConfig.yaml"))?.[1];

function isInstalled(machine: Machine, level: string, when: string): void {
  succeeds(machine, `${SETUP} --yes`);
  assert.match(succeeds(machine, `${SETUP} --yes`), /nothing to do/, when);
  assert.is(machine.run("systemctl is-active greengrass.service").status, 0, when);
  assert.is(levelIn(machine), level, when);
  gainsNobodyAnything(machine, when);
}

interface Cut {
  readonly kind: "setup" | "change" | "uninstall";
  readonly call: number;
}

/** With DOSPESOS_TORTURE=25 the power goes at every call, once: half an hour. */
const EVERY = 25;

const KINDS = ["uninstall", "change", "setup"] as const;

function randomCuts(calls: Record<Cut["kind"], number>, count: number, number: () => number): Cut[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = KINDS[index % KINDS.length]!;
    return { kind, call: 1 + Math.floor(number() * calls[kind]) };
  });
}

function everyCut(calls: Record<Cut["kind"], number>): Cut[] {
  return KINDS.flatMap((kind) =>
    Array.from({ length: calls[kind] }, (_, index) => ({ kind, call: index + 1 })),
  );
}

const NAME =
  "power cuts at random calls of a setup, a change and back, an uninstall: all converge, nothing is left";
const lacking = ["strace", "pkill", "setsid"].filter((tool) => toolPath(tool) === undefined);

function powerCuts(): Promise<void> {
  return onMachine((machine) => {
    const number = randomNumbers("power cuts");
    put(machine, "INFO");
    const setup = callsOf(machine, `${SETUP} --yes`);
    put(machine, "DEBUG");
    const change = callsOf(machine, `${SETUP} --yes`);
    const uninstall = callsOf(machine, UNINSTALL);
    const calls = { setup, change, uninstall };
    const cuts = torture < EVERY ? randomCuts(calls, Math.ceil(40 * torture), number) : everyCut(calls);
    let hit = 0;
    for (const { kind, call } of cuts) {
      put(machine, "INFO");
      const when = `${kind} cut at call ${call}`;
      if (kind !== "setup") {
        succeeds(machine, `${SETUP} --yes`);
      }
      if (kind === "change") {
        put(machine, "DEBUG");
      }
      const status = cutAt(machine, call, kind === "uninstall" ? UNINSTALL : `${SETUP} --yes`);
      hit += status === 0 ? 0 : 1;
      gainsNobodyAnything(machine, when);
      if (kind === "change") {
        isInstalled(machine, "DEBUG", when);
        put(machine, "INFO");
      }
      if (kind !== "uninstall" || machine.run("test -e /var/lib/dospesos/core-1/uninstall.sh").status !== 0) {
        isInstalled(machine, "INFO", when);
      }
      succeeds(machine, UNINSTALL);
      assert.equal(changes(machine), [], when);
    }
    console.error(
      `power cuts: ${hit} of ${cuts.length} hit; calls of a setup ${setup}, a change ${change}, an uninstall ${uninstall}`,
    );
    assert.ok(hit > cuts.length / 2);
  });
}

if (lacking.length > 0) {
  testWhere(test, `needs ${lacking.join(", ")}`, NAME, powerCuts);
} else {
  testOnMachine(test, NAME, powerCuts);
}

test.run();

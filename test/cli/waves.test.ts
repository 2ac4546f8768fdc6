// Many devices: some first, not too many failures, and where each stands.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { inWaves } from "../../lib/cli/waves.ts";
import { freePort, testOverSsh } from "../device/sshd.ts";
import { site } from "../device/pushing.ts";

const test = suite("waves");
const signal = new AbortController().signal;

/** Works on numbers; those that are named fail. */
async function waves(
  failing: readonly number[],
  options: Partial<Parameters<typeof inWaves>[1]>,
): Promise<{ begun: number[]; failed: number[]; left: number[] }> {
  const begun: number[] = [];
  const targets = Array.from({ length: 20 }, (_, index) => index);
  const { failed, left } = await inWaves(
    targets,
    { jobs: 1, canary: undefined, maxFailures: undefined, signal, ...options },
    async (target) => {
      begun.push(target);
      if (failing.includes(target)) {
        throw new Error("it failed");
      }
    },
  );
  return { begun, failed: failed.map(({ target }) => target), left: [...left] };
}

test("the others begin only when all canaries are done well", async () => {
  assert.is((await waves([], { canary: 2, jobs: 4 })).begun.length, 20);
  const { begun, failed, left } = await waves([1], { canary: 2 });
  assert.equal([begun, failed, left.length], [[0, 1], [1], 18]);
  assert.is((await waves([5], { canary: 2 })).begun.length, 20, "a later failure stops nobody");
});

test("once too many have failed no other is begun", async () => {
  assert.equal((await waves([0, 3, 5, 9], { maxFailures: { number: 2 } })).left.length, 14);
  assert.equal((await waves([0], { maxFailures: { number: 0 } })).left.length, 19);
  assert.equal((await waves([0, 1], { maxFailures: { percent: 10 } })).left, []);
  assert.equal((await waves([0, 1, 2], { maxFailures: { percent: 10 } })).left.length, 17);
});

testOverSsh(
  test,
  [],
  "push goes on where it stopped, and --status tells where each core stands",
  async () => {
    const cores = ["core-1", "core-2", "core-3", "core-4"];
    const { root, client, pushed } = site(cores);
    const nobody = await freePort();
    cores.forEach((core) => client.alias(core, nobody));
    const canary = await pushed("--yes", "--sandbox-ok", "--canary", "1", "-j", "1");
    assert.is(canary.exit, 1, canary.stderr);
    assert.match(canary.stderr, "0 done, 1 failed, 3 not begun: ");
    const more = await pushed("--yes", "--sandbox-ok", "--limit", "2", "--max-failures", "0", "-j", "1");
    assert.match(more.stderr, "0 done, 1 failed, 1 not begun");
    const status = await pushed("--status", "--json");
    assert.is(status.exit, 1);
    const events = status.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(
      events.filter(({ type }) => type === "push-state").map(({ core, state }) => [core, state]),
      [
        ["core-1", "failed"],
        ["core-2", "never"],
        ["core-3", "never"],
        ["core-4", "never"],
      ],
    );
    assert.ok(String(events[0]!["why"]).length > 10);
    const settings = join(root, "settings.ini");
    const text = readFileSync(settings, "utf8").replace("[core core-3]", "[core core-3]\ngroup = lab");
    writeFileSync(settings, text);
    const group = await pushed("--status", "--group", "lab");
    assert.match(group.stdout, /^never +core-3 /);
    assert.not.match(group.stdout, "core-2");
    const none = await pushed("--yes", "--group", "nowhere");
    assert.is(none.exit, 2);
    assert.match(none.stderr, 'no core of the group "nowhere" has a host');
  },
);

test.run();

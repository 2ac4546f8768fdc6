// An apply that is interrupted or whose DosPesos is killed, at random moments: whatever happens, the next
// build puts it right. DOSPESOS_TORTURE=25 makes 50 interrupts and 20 kills.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, readlinkSync, rmSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { regionIn, savedAccount } from "../support/account.ts";
import { Started, type Ended } from "../support/bin.ts";
import { randomNumbers, torture } from "../support/random.ts";
import { tempFolder } from "../support/temp.ts";
import { testWithProvider } from "../support/terraform.ts";
import { inRealAccount, ACCOUNT, standIn } from "./real-account.ts";
import { terraformClone, type TerraformClone } from "./rig.ts";

/**
 * Everything that a build of a thing changes; with the account itself, which in a sandbox lies below
 * terraform/state.
 */
const KEPT = [
  "terraform/state",
  "terraform/thing",
  "terraform/instance",
  "terraform/core",
  ".dospesos",
  "edge/keys",
];
const TARGET = "terraform/state/effects/thing/thing-1.json";

/** A clone in which the next build of the thing has everything to do, and how to come back to that. */
interface Scene {
  readonly clone: TerraformClone;
  readonly states: string;
  /** Answers take a while on their way. */
  readonly slow: boolean;
  /** Runs dospesos beside the test. */
  start: (...words: string[]) => Started;
  reset: () => Promise<void>;
  /** Runs the body with a way to ask the account by terraform and to read it, and closes again. */
  look: () => Promise<{
    readonly planExit: number;
    readonly things: string[];
    readonly certificates: number;
    readonly policies: string[];
  }>;
  close: () => Promise<void>;
}

async function sceneOf(
  mirror: string,
  kind: "sandbox" | "slow account",
  random: () => number,
): Promise<Scene> {
  const clone = terraformClone(mirror, kind === "sandbox" ? undefined : "");
  const remote = kind === "sandbox" ? undefined : await standIn({ latency: () => random() * 400 });
  if (remote !== undefined) {
    clone.edit("settings.ini", inRealAccount);
  }
  const environment = { ...clone.environment, ...remote?.environment };
  const words = (given: readonly string[]): string[] => [
    ...given,
    ...(remote === undefined ? [] : ["--yes"]),
  ];
  const bin = clone.path("lib/cli/bin.cjs");
  const start = (...given: string[]): Started =>
    new Started(clone.root, process.execPath, [bin, ...words(given)], { env: environment, detached: true });
  const first = await start(
    "build",
    "terraform/state/effects/instance/dospesos.json",
    "edge/keys/thing-1/private.pem.key",
  ).end(240_000);
  if (first.exit !== 0) {
    await remote?.close();
  }
  assert.is(first.exit, 0, first.stderr);
  const saved = tempFolder("saved");
  for (const name of KEPT) {
    if (existsSync(clone.path(name))) {
      cpSync(clone.path(name), join(saved, name), { recursive: true });
    }
  }
  const accountFile = remote?.file ?? clone.path("terraform/state/sandbox/account.json");
  const account = savedAccount(accountFile);
  const states = `terraform/state/${remote === undefined ? "000000000000" : ACCOUNT}/eu-west-1`;
  return {
    clone,
    states,
    start,
    slow: remote !== undefined,
    reset: async () => {
      await remote?.reset(account);
      for (const name of KEPT) {
        rmSync(clone.path(name), { recursive: true, force: true });
        if (existsSync(join(saved, name))) {
          cpSync(join(saved, name), clone.path(name), { recursive: true, preserveTimestamps: true });
        }
      }
    },
    look: async () => {
      const exit =
        remote === undefined
          ? (await clone.terraform("thing", "thing-1", "plan", "-detailed-exitcode", "-input=false")).exit
          : (
              await new Started(
                clone.path(`${states}/thing/thing-1.work/module`),
                "terraform",
                ["plan", "-detailed-exitcode", "-input=false"],
                {
                  env: {
                    ...environment,
                    TF_CLI_ARGS_plan: undefined,
                    TF_WORKSPACE: undefined,
                    TF_DATA_DIR: undefined,
                  },
                },
              ).end(120_000)
            ).exit;
      const region = regionIn(accountFile);
      return {
        planExit: exit ?? 1,
        things: region.things.map(({ name }) => name).filter((name) => name === "thing-1"),
        certificates: region.certificates.filter(
          ({ things, status }) => things.length === 0 || things.includes("thing-1") || status !== "ACTIVE",
        ).length,
        policies: region.policies.map(({ name }) => name).filter((name) => name.includes("thing-1")),
      };
    },
    close: async () => remote?.close(),
  };
}

/** Resolves at a random moment, mostly of the apply, or when the run has ended. */
async function momentOf(scene: Scene, run: Started, random: () => number): Promise<void> {
  if (random() < 0.2) {
    await Promise.race([
      new Promise<void>((resolve) => setTimeout(resolve, random() * 6000)),
      run.ended.then(() => {}),
    ]);
    return;
  }
  const log = scene.clone.path(`${scene.states}/thing/thing-1.work/apply.log`);
  const lines = 3 + Math.floor(random() * 12);
  const folder = dirname(log);
  const has = (): boolean => existsSync(log) && readFileSync(log, "utf8").split("\n").length > lines;
  await new Promise<void>((resolve) => {
    const above = watch(scene.clone.path("terraform/state"), { recursive: true }, () => {
      if (!existsSync(folder) || !has()) {
        return;
      }
      above.close();
      setTimeout(resolve, random() * (scene.slow ? 400 : 60));
    });
    void run.ended.then(() => {
      above.close();
      resolve();
    });
  });
}

/** The processes that work in a clone's folder. */
function processesIn(clone: TerraformClone): string[] {
  return readdirSync("/proc")
    .filter((id) => /^\d+$/.test(id))
    .flatMap((id) => {
      try {
        return readlinkSync(`/proc/${id}/cwd`).startsWith(clone.root)
          ? [`${id} ${readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " ")}`]
          : [];
      } catch {
        return []; // it has just ended
      }
    });
}

/** What is done to a run: Ctrl-C, or kill -9 of dospesos, or of Terraform with its provider. */
type Harm = "Ctrl-C" | "kill -9 of dospesos" | "kill -9 of terraform";

function harm(scene: Scene, run: Started, how: Harm): void {
  try {
    // As a terminal does: SIGINT goes to every process of the group.
    if (how === "Ctrl-C") {
      return void process.kill(-run.child.pid!, "SIGINT");
    }
    if (how === "kill -9 of dospesos") {
      return void run.child.kill("SIGKILL");
    }
    const { process: running } = JSON.parse(
      readFileSync(scene.clone.path(`${scene.states}/thing/thing-1.work/running.json`), "utf8"),
    ) as { process: { id: number } };
    process.kill(-running.id, "SIGKILL");
  } catch {
    // It ended a moment ago: a round of its own kind.
  }
}

async function round(scene: Scene, how: Harm, random: () => number): Promise<Ended> {
  await scene.reset();
  const run = scene.start("build", TARGET);
  await momentOf(scene, run, random);
  harm(scene, run, how);
  const cut = await run.end(120_000);
  const logFile = scene.clone.path(`${scene.states}/thing/thing-1.work/apply.log`);
  if (how === "Ctrl-C") {
    // Without a code SIGINT itself ended it, which a shell calls 130, too: Node was still starting.
    assert.ok([130, 0].includes(cut.exit ?? 130), `${cut.exit} ${cut.stderr}`);
    assert.ok(cut.exit !== null || cut.stderr === "", cut.stderr);
    const log = existsSync(logFile) ? readFileSync(logFile, "utf8") : "";
    assert.ok((log.match(/Interrupt received/g) ?? []).length <= 1, log);
    assert.not.match(log, "Two interrupts");
    assert.equal(processesIn(scene.clone), []);
  }
  let next = await scene.start("build", TARGET).end(240_000);
  // Killed while it wrote its first state, Terraform leaves an empty one: the way out that is reported is taken.
  if (how === "kill -9 of terraform" && next.exit === 4) {
    const [, way] = /its state is (?:empty|damaged)[^]*account any more: (rm .*)$/m.exec(next.stderr) ?? [];
    assert.ok(way !== undefined, next.stderr);
    execFileSync("sh", ["-c", way], { cwd: scene.clone.root });
    next = await scene.start("build", TARGET).end(240_000);
  }
  assert.is(next.exit, 0, `${cut.stderr}\n---\n${next.stderr}`);
  assert.equal(processesIn(scene.clone), []);
  assert.equal(
    await scene.look(),
    { planExit: 0, things: ["thing-1"], certificates: 1, policies: ["dospesos-thing-thing-1"] },
    `${cut.stderr}\n---\n${next.stderr}`,
  );
  const left = readdirSync(scene.clone.path(scene.states), { recursive: true, encoding: "utf8" }).filter(
    (name) => /lock\.info|running\.json|unfinished\.json|\/plan$|errored/.test(name),
  );
  assert.equal(left, []);
  return cut;
}

/**
 * How, how often, where in the usual tests, and what comes of it. The usual tests do one of them, by the seed;
 * `npm run torture:terraform` does all, in the sandbox and in an account that is slow.
 */
const HARMS: readonly (readonly [Harm, number, "sandbox" | "slow account", string])[] = [
  ["Ctrl-C", 1, "slow account", "one interrupt, an orderly end, and the next build makes it whole"],
  ["kill -9 of dospesos", 0.4, "sandbox", "the next build waits for what works still, and makes it whole"],
  ["kill -9 of terraform", 0.2, "slow account", "the next build finds what was made, and makes it whole"],
];

const chosen = Math.floor(randomNumbers("which harm")() * HARMS.length);

for (const kind of ["sandbox", "slow account"] as const) {
  for (const [index, [how, rounds, usual, outcome]] of HARMS.entries()) {
    if (torture <= 1 && (kind !== usual || index !== chosen)) {
      continue;
    }
    testWithProvider(test, `${how} at random moments of an apply (${kind}): ${outcome}`, async (mirror) => {
      const random = randomNumbers(`${how}, ${kind}`);
      const scene = await sceneOf(mirror, kind, random);
      const exits = new Map<number | null, number>();
      try {
        for (let count = 0; count < Math.ceil(rounds * torture); count++) {
          const { exit } = await round(scene, how, random);
          exits.set(exit, (exits.get(exit) ?? 0) + 1);
        }
      } finally {
        await scene.close();
      }
      console.error(`${how}, ${kind}: exits and how often ${JSON.stringify([...exits])}`);
    });
  }
}

test.run();

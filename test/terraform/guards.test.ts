// What stops before anything is started, and consent: against an account that is no sandbox, played by the
// sandbox behind a proxy.
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { accountOf, regionIn } from "../support/account.ts";
import { BIN, Started, type Ended } from "../support/bin.ts";
import { events } from "../support/clone.ts";
import { tempFolder } from "../support/temp.ts";
import { testWithProvider } from "../support/terraform.ts";
import { inRealAccount, ACCOUNT, standIn, type StandIn } from "./real-account.ts";
import { terraformClone, type TerraformClone } from "./rig.ts";

const STATES = `terraform/state/${ACCOUNT}/eu-west-1`;

/** Runs dospesos beside the test, which plays AWS meanwhile. */
async function run(
  clone: TerraformClone,
  environment: NodeJS.ProcessEnv,
  ...words: string[]
): Promise<Ended> {
  return await new Started(
    clone.root,
    process.execPath,
    [BIN.replace(/.*\/lib\//, `${clone.root}/lib/`), ...words],
    { env: { ...clone.environment, ...environment } },
  ).end(240_000);
}

function realClone(mirror: string): TerraformClone {
  const clone = terraformClone(mirror, "");
  clone.edit("settings.ini", inRealAccount);
  return clone;
}

const startedTerraform = (clone: TerraformClone): boolean => existsSync(clone.path(STATES));

test("in a real account a core's key is made on its device: its first build names the way, and makes no key here (A9)", async () => {
  const clone = realClone(tempFolder("no-mirror"));
  clone.edit("settings.ini", (text) => text.replace("key = laptop\n", ""));
  const { exit, stderr } = await run(clone, {}, "build", "terraform/core/core-1.tfvars.json");
  assert.is(exit, 4, stderr);
  assert.match(
    stderr,
    /DP609: the device of core-1 has not made its key yet\n.*\n {2}fix: dospesos request core-1/,
  );
  assert.not(existsSync(clone.path("edge/keys/core-1")));
});

test("no terraform on PATH: told with the place of the setting, and nothing is started", async () => {
  const clone = realClone(tempFolder("no-mirror"));
  const { exit, stderr } = await run(
    clone,
    { PATH: tempFolder("empty") },
    "build",
    "terraform/state/effects/instance/dospesos.json",
  );
  assert.is(exit, 4, stderr);
  assert.match(stderr, "settings.ini: error DP402: terraform is not on PATH");
});

test("a terraform that is too old is named with both versions", async () => {
  const folder = tempFolder("old");
  writeFileSync(`${folder}/terraform`, `#!/bin/sh\necho '{"terraform_version":"1.5.7"}'\n`);
  chmodSync(`${folder}/terraform`, 0o755);
  const clone = realClone(tempFolder("no-mirror"));
  const { exit, stderr } = await run(
    clone,
    { PATH: `${folder}:${process.env["PATH"]}` },
    "build",
    "terraform/state/effects/instance/dospesos.json",
  );
  assert.is(exit, 4, stderr);
  assert.match(stderr, "has the version 1.5.7, and 1.7 or newer is needed");
  assert.not(startedTerraform(clone));
});

/** A terraform that a version manager chose: it talks first, knows its folder, and cannot begin. */
function fakeTerraform(): string {
  const folder = tempFolder("fake");
  writeFileSync(
    `${folder}/terraform`,
    `#!/bin/sh
case $1 in
  version) test -f .terraform-version || exit 1; echo 'mise: using terraform 1.11.4'; echo '{"terraform_version":"1.11.4"}' ;;
  *) env > ../environment; find . -type f | sort > ../copied; echo 'Error: not today' >&2; exit 1 ;;
esac
`,
    { mode: 0o755 },
  );
  return folder;
}

test("all files of a module count, whatever made terraform's folder (B15)", async () => {
  const clone = terraformClone(tempFolder("no-mirror"));
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(clone.path(name)), { recursive: true });
    writeFileSync(clone.path(name), text);
  };
  const work = clone.path("terraform/state/000000000000/eu-west-1/instance/dospesos.work");
  write(".terraform-version", "1.11.4\n");
  write("terraform/instance/extra.tf.json", "{}");
  write("terraform/instance/templates/role.tftpl", "a");
  write("terraform/instance/modules/x/main.tf", 'module "y" {\n  source = "../y"\n}\n');
  write("terraform/instance/by-hand.tfvars", 'a = "secret"\n');
  const MARKER = "terraform/state/effects/instance/dospesos.json";
  const PATH = `./fake:${process.env["PATH"]}`;
  renameSync(fakeTerraform(), clone.path("fake"));
  const REAL = { AWS_ACCESS_KEY_ID: "AKIDREAL", AWS_SECRET_ACCESS_KEY: "sReal", AWS_SESSION_TOKEN: "tReal" };
  const failed = await run(clone, { PATH, ...REAL }, "build", MARKER);
  const environment = readFileSync(`${work}/environment`, "utf8");
  assert.not.match(
    environment,
    /AKIDREAL|sReal|tReal/,
    "whoever listens at the sandbox's port gets no real ones (B7)",
  );
  assert.match(failed.stderr, "Error: not today");
  const copied = () => readFileSync(`${work}/copied`, "utf8").split("\n");
  assert.equal(
    copied().filter((name) => /extra|role|modules|by-hand/.test(name)),
    ["./extra.tf.json", "./modules/x/main.tf", "./templates/role.tftpl"],
  );
  const vars = "terraform/instance/dospesos.tfvars.json";
  const revision = () => (JSON.parse(clone.read(vars)) as { revision: string }).revision;
  const before = revision();
  write("terraform/instance/templates/role.tftpl", "b");
  rmSync(clone.path("terraform/instance/modules"), { recursive: true });
  assert.is((await run(clone, { PATH }, "build", MARKER)).exit, 1);
  assert.is.not(revision(), before, "a template of a module is a prerequisite");
  assert.not(copied().some((name) => name.includes("modules")));
  write("terraform/instance/far.tf", 'module "far" {\n  source = "../far"\n}\n');
  const refused = await run(clone, { PATH }, "build", MARKER);
  assert.is(refused.exit, 2, refused.stderr);
  assert.match(
    refused.stderr,
    "terraform/instance/far.tf:2:13: error DP419: the module ../far is outside of",
  );
});

test("what terraform says where it cannot begin is reported in its own words, on one line", async () => {
  const folder = tempFolder("offline");
  writeFileSync(
    `${folder}/terraform`,
    `#!/bin/sh\ncase $1 in version) echo '{"terraform_version":"1.11.4"}';; *) printf 'Error: Failed to query\\nno such host\\n' >&2; exit 1;; esac\n`,
  );
  chmodSync(`${folder}/terraform`, 0o755);
  const { exit, stderr } = await run(
    terraformClone(tempFolder("no-mirror")),
    { PATH: `${folder}:${process.env["PATH"]}` },
    "build",
    "terraform/state/effects/instance/dospesos.json",
  );
  assert.is(exit, 1, stderr);
  assert.match(stderr, "terraform init ended with exit code 1\n  why: Error: Failed to query no such host\n");
});

testWithProvider(
  test,
  "credentials of another account: both are named, nothing is started",
  async (mirror) => {
    const aws = await standIn();
    const clone = realClone(mirror);
    clone.edit("settings.ini", (text) => text.replace(ACCOUNT, "210987654321"));
    const { exit, stderr } = await run(clone, aws.environment, "build", "--yes").finally(aws.close);
    assert.is(exit, 4, stderr);
    assert.match(
      stderr,
      `the credentials belong to the account ${ACCOUNT}, but the settings name 210987654321`,
    );
    assert.not(existsSync(clone.path("terraform/state/210987654321")));
  },
);

testWithProvider(
  test,
  "a clock that AWS would refuse: both times are named, nothing is started",
  async (mirror) => {
    const aws = await standIn({ skew: 20 * 60_000 });
    const clone = realClone(mirror);
    const { exit, stderr } = await run(clone, aws.environment, "build", "--yes").finally(aws.close);
    assert.is(exit, 4, stderr);
    assert.match(stderr, /the clock of this machine says \S+Z, AWS says \S+Z/);
    assert.not(startedTerraform(clone));
  },
);

let aws: StandIn;
let clone: TerraformClone;

testWithProvider(
  test,
  "without a yes nothing changes in a real account: one plan of all that is ready, the rest named, exit 4",
  async (mirror) => {
    aws = await standIn();
    clone = realClone(mirror);
    const before = readFileSync(aws.file, "utf8");
    const { exit, stderr } = await run(clone, aws.environment, "build");
    assert.is(exit, 4, stderr);
    assert.is(readFileSync(aws.file, "utf8"), before);
    assert.is(stderr.match(/^plan {5}/gm)?.length, 2, stderr);
    assert.match(
      stderr,
      "plan     instance dospesos\n         4 to add, 0 to change, 0 to destroy\n         +   ",
    );
    assert.match(stderr, "aws_iam_role.token_exchange is made");
    assert.match(stderr, /later {4}core core-1 {2}planned after (instance dospesos|group of core core-1)/);
    assert.match(stderr, /later {4}association of thing thing-1 {2}planned after /);
    assert.not.match(stderr, "SANDBOX");
    assert.not(existsSync(clone.path(`${STATES}/instance/dospesos.work/plan`)));
  },
);

testWithProvider(
  test,
  "with --yes each layer is planned when the one below is there, and applied as it was shown",
  async () => {
    const { exit, stderr, stdout } = await run(clone, aws.environment, "build", "--yes", "--json");
    assert.is(exit, 0, stderr);
    const plans = events({ exit, stdout, stderr })
      .filter(({ type }) => type === "plan")
      .map(({ effects }) => (effects as { name: string }[]).map(({ name }) => name).sort());
    const place = (name: string): number => plans.findIndex((names) => names.includes(name));
    assert.ok(
      place("instance dospesos") < place("core core-1") &&
        place("core core-1") < place("association of thing thing-1"),
      JSON.stringify(plans),
    );
    assert.match((await run(clone, aws.environment, "build")).stderr, "nothing to do");
  },
);

testWithProvider(
  test,
  "a clone without keys cuts off no device: the certificate stays, and what needs its key stops with the ways out (A9)",
  async () => {
    const certificates = (): unknown => regionIn(aws.file).certificates;
    const before = certificates();
    renameSync(clone.path("edge/keys/thing-1"), clone.path("kept"));
    const { exit, stderr } = await run(clone, aws.environment, "build", "--yes");
    assert.is(exit, 4, stderr);
    assert.match(
      stderr,
      /edge\/keys\/thing-1\/\S+: error DP603: the certificate of thing-1 was issued for another key/,
    );
    assert.match(stderr, "dospesos rotate thing-1");
    assert.equal(certificates(), before);
    rmSync(clone.path("edge/keys/thing-1"), { recursive: true });
    // The key alone is enough: its request is made again.
    mkdirSync(clone.path("edge/keys/thing-1"), { mode: 0o700 });
    renameSync(clone.path("kept/private.pem.key"), clone.path("edge/keys/thing-1/private.pem.key"));
    const healed = await run(clone, aws.environment, "build", "--yes");
    assert.is(healed.exit, 0, healed.stderr);
    assert.equal(certificates(), before);
  },
);

testWithProvider(test, "a change that destroys something says so before it asks", async () => {
  clone.edit("settings.ini", (text) => text.replace("group = my-group", "group = other"));
  const { exit, stderr } = await run(
    clone,
    aws.environment,
    "build",
    "terraform/state/effects/group-of-core/core-1.json",
  );
  assert.is(exit, 4, stderr);
  assert.is(
    (await run(clone, aws.environment, "build", "--yes", "terraform/state/effects/group-of-core/core-1.json"))
      .exit,
    0,
  );
  const moved = await run(clone, aws.environment, "build", "terraform/state/effects/core/core-1.json");
  assert.is(moved.exit, 4, moved.stderr);
  assert.match(
    moved.stderr,
    /aws_iot_thing_group_membership\.core IS DESTROYED and made anew: \S*thing_group_name/,
  );
  assert.match(moved.stderr, /to add, \d to change, [1-9] to destroy/);
  clone.edit("settings.ini", (text) => text.replace("group = other", "group = my-group"));
});

testWithProvider(
  test,
  "a resource that somebody else made is not taken: exit 4 before anything is applied",
  async (mirror) => {
    const rival = realClone(mirror);
    rival.edit("settings.ini", (text) => text.replace("name = dospesos", "name = rival"));
    const before = regionIn(aws.file).things;
    const ended = await run(
      rival,
      aws.environment,
      "build",
      "--yes",
      "terraform/state/effects/thing/thing-1.json",
    );
    assert.is(ended.exit, 4, ended.stderr);
    assert.match(ended.stderr, 'the thing thing-1 exists already and belongs to the instance "dospesos"');
    assert.match(JSON.stringify(before), "dospesos");
    assert.equal(regionIn(aws.file).things, before);
  },
);

testWithProvider(
  test,
  "destroy in a real account takes no --yes: a person types the instance's name",
  async () => {
    const refused = await run(clone, aws.environment, "destroy", "--yes");
    assert.is(refused.exit, 2);
    assert.match(refused.stderr, "--yes does not destroy anything in a real account");
    assert.is((await run(clone, aws.environment, "destroy", "thing-1")).exit, 4);
    const typed = async (word: string, ...names: string[]): Promise<Ended> => {
      const command = [process.execPath, `${clone.root}/lib/cli/bin.cjs`, "destroy", ...names].join(" ");
      const terminal = new Started(clone.root, "script", ["-qec", command, "/dev/null"], {
        env: { ...clone.environment, ...aws.environment },
        stdio: ["pipe", "pipe", "pipe"],
      });
      await terminal.tells(/to destroy all of this:/, 0, 120_000);
      terminal.child.stdin!.write(`${word}\n`);
      return await terminal.end(240_000);
    };
    const wrong = await typed("yes", "thing-1");
    assert.match(wrong.stdout, "nothing was destroyed");

    // Without Terraform's states nothing is forgotten: the markers are the only memory of what was made.
    const made = accountOf(aws.file);
    renameSync(clone.path(STATES), clone.path("states-kept"));
    const lost = await run(clone, aws.environment, "destroy");
    assert.is(lost.exit, 4, lost.stderr);
    assert.match(lost.stderr, /DP411: (core core-1|thing thing-1): it was applied, but its state is gone/);
    assert.equal(accountOf(aws.file), made);
    assert.ok(existsSync(clone.path("terraform/state/effects/core/core-1.json")));
    rmSync(clone.path(STATES), { recursive: true, force: true });
    renameSync(clone.path("states-kept"), clone.path(STATES));

    const right = await typed("dospesos");
    assert.is(right.exit, 0, right.stdout);
    assert.equal(regionIn(aws.file).things, []);
    assert.equal(regionIn(aws.file).certificates, []);
  },
  ["script"],
);

test.after(async () => aws?.close());

testWithProvider(
  test,
  "a state that is gone, empty, damaged, another one or not written: exit 4 with the way out, and that way leads back",
  async (mirror) => {
    const sandbox = terraformClone(mirror);
    assert.is(sandbox.run("build", "terraform/state/effects/instance/dospesos.json").exit, 0);
    const state = "terraform/state/000000000000/eu-west-1/instance/dospesos.tfstate";
    const account = sandbox.read("terraform/state/sandbox/account.json");
    const whole = sandbox.read(state);
    const errored = sandbox.path(
      "terraform/state/000000000000/eu-west-1/instance/dospesos.work/module/errored.tfstate",
    );
    const cases: [string, string, () => void, string][] = [
      [
        "DP411",
        "it was applied, but its state is gone",
        () => rmSync(sandbox.path(state)),
        "put back a copy of yours",
      ],
      [
        "DP412",
        "its state is empty",
        () => writeFileSync(sandbox.path(state), ""),
        "put back a copy of yours",
      ],
      [
        "DP412",
        "its state is damaged",
        () => writeFileSync(sandbox.path(state), whole.slice(0, 200)),
        "put back a copy of yours",
      ],
      [
        "DP413",
        "its state is another one",
        () => writeFileSync(sandbox.path(state), whole.replace(/"lineage": "[^"]+"/, '"lineage": "other"')),
        "put the right state back",
      ],
      [
        "DP410",
        "left the newest one in errored.tfstate",
        () => writeFileSync(errored, whole),
        "state push errored.tfstate",
      ],
    ];
    for (const [code, what, damage, fix] of cases) {
      damage();
      // The state is a prerequisite, but for the file that Terraform left: there the marker is taken away.
      if (code === "DP410") {
        rmSync(sandbox.path("terraform/state/effects/instance/dospesos.json"));
      }
      const { exit, stderr } = sandbox.run("build", "terraform/state/effects/instance/dospesos.json");
      assert.is(exit, 4, stderr);
      assert.match(stderr, `${state}: error ${code}: instance dospesos: `);
      assert.match(stderr, what);
      assert.match(stderr, fix);
      assert.is(sandbox.read("terraform/state/sandbox/account.json"), account, what);
      writeFileSync(sandbox.path(state), whole);
      rmSync(errored, { force: true });
      assert.is(sandbox.run("build", "terraform/state/effects/instance/dospesos.json").exit, 0, what);
    }
    assert.is(sandbox.read("terraform/state/sandbox/account.json"), account);
    // Also after a clean nothing is taken for new.
    sandbox.run("clean");
    rmSync(sandbox.path(state));
    assert.is(sandbox.run("build", "terraform/state/effects/instance/dospesos.json").exit, 4);
  },
);

test.run();

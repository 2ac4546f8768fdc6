// Real Terraform and the real AWS provider against the sandbox, from a fresh clone to an account that is
// empty again.
import { X509Certificate } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CreateThingCommand,
  CreateThingGroupCommand,
  DeleteThingCommand,
  DetachThingPrincipalCommand,
  ListThingPrincipalsCommand,
} from "@aws-sdk/client-iot";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { accountOf, census } from "../support/account.ts";
import { ran } from "../support/clone.ts";
import { tempFolder } from "../support/temp.ts";
import { addOwnEffects } from "../support/own-effects.ts";
import { testWithProvider } from "../support/terraform.ts";
import { CANARY, filesBelow, planExit, terraformClone, type TerraformClone } from "./rig.ts";

let clone: TerraformClone;
let accountBefore: string;
let contentBefore: unknown;
const ACCOUNT = "terraform/state/sandbox/account.json";
const STATES = "terraform/state/000000000000/eu-west-1";

testWithProvider(
  test,
  "a fresh clone builds with real Terraform, and private files stay private",
  async (mirror) => {
    clone = terraformClone(mirror);
    mkdirSync(clone.path("terraform/state/sandbox"), { recursive: true });
    await clone.inAccount(async (access) => {
      const iot = await access.iot();
      await iot.send(new CreateThingCommand({ thingName: "of-somebody-else" }));
      await iot.send(new CreateThingGroupCommand({ thingGroupName: "of-somebody-else" }));
    });
    accountBefore = clone.read(ACCOUNT);
    contentBefore = accountOf(clone.path(ACCOUNT));
    const { exit, stderr } = clone.run("build");
    assert.is(exit, 0, stderr);
    assert.equal(
      [
        await planExit(clone, "instance", "dospesos"),
        await planExit(clone, "core", "core-1"),
        await planExit(clone, "thing", "thing-1"),
      ],
      [0, 0, 0],
    );
    for (const [module, name] of [
      ["instance", "dospesos"],
      ["core", "core-1"],
      ["thing", "thing-1"],
    ]) {
      assert.is(statSync(clone.path(`${STATES}/${module}/${name}.tfstate`)).mode & 0o777, 0o600);
      assert.is(statSync(clone.path(`${STATES}/${module}`)).mode & 0o777, 0o700);
      assert.is(statSync(clone.path(`${STATES}/${module}/${name}.work`)).mode & 0o777, 0o700);
      assert.not(
        existsSync(clone.path(`${STATES}/${module}/${name}.work/plan`)),
        "a plan holds what was planned in clear",
      );
    }
    assert.is(clone.git("status", "--porcelain").trim(), "M settings.ini");
  },
);

testWithProvider(
  test,
  "no private key and no secret of the environment is in a state, a log, a marker or the engine's files",
  async () => {
    const files = [
      ...filesBelow(clone, "terraform").filter((name) => /^terraform\/state\/|\.json$/.test(name)),
      ...filesBelow(clone, ".dospesos"),
    ].filter((name) => name !== ACCOUNT);
    assert.ok(
      files.some((name) => name.endsWith("core-1.tfstate")) &&
        files.some((name) => name.endsWith("apply.log")) &&
        files.includes(".dospesos/snapshot"),
    );
    for (const name of files) {
      const text = readFileSync(clone.path(name), "latin1");
      assert.not.match(text, "PRIVATE KEY", name);
      assert.not.match(text, CANARY, name);
    }
  },
);

testWithProvider(
  test,
  "the second build has nothing to do, and starts no process",
  async () => {
    assert.match(clone.run("build").stderr, "nothing to do: all is fresh");
    assert.equal(programsOf("build"), ["node"]);
  },
  ["strace"],
);

/** The programs that a run starts, itself included, with their arguments checked for secrets. */
function programsOf(...words: string[]): string[] {
  const trace = join(tempFolder("strace"), "trace");
  const { exit, stderr } = clone.runWith(
    "strace",
    "-f",
    "-qq",
    "-s",
    "4096",
    "-e",
    "trace=execve",
    "-o",
    trace,
    process.execPath,
    clone.path("lib/cli/bin.cjs"),
    ...words,
  );
  assert.is(exit, 0, stderr);
  const text = readFileSync(trace, "utf8");
  for (const line of text.split("\n").map((one) => one.slice(0, one.indexOf("], ")))) {
    assert.not.match(line, new RegExp(`${CANARY}|PRIVATE KEY`));
  }
  return [...text.matchAll(/execve\("([^"]+)".* = 0$/gm)]
    .map(([, program]) => program!.slice(program!.lastIndexOf("/") + 1))
    .map((name) => (name === process.execPath.slice(process.execPath.lastIndexOf("/") + 1) ? "node" : name));
}

testWithProvider(test, "one key changed: one module is applied, the others stay as they are", async () => {
  const times = () =>
    ["instance/dospesos", "thing/thing-1"].map(
      (name) => statSync(clone.path(`${STATES}/${name}.work/apply.log`)).mtimeMs,
    );
  const before = times();
  clone.edit("settings.ini", (text) => text.replace("group = my-group", "group = other"));
  const ended = clone.run("build", "--json");
  assert.is(ended.exit, 0, ended.stderr);
  assert.not.match(ended.stdout + ended.stderr, new RegExp(`${CANARY}|PRIVATE KEY`));
  assert.equal(
    ran(ended).filter((target) => /^terraform\/state\/effects\/(instance|core|thing)\//.test(target)),
    ["terraform/state/effects/core/core-1.json"],
  );
  assert.equal(times(), before);
  assert.match(clone.run("build").stderr, "nothing to do");
});

testWithProvider(
  test,
  "a thing deleted behind its back: --verify names it, a build repairs it, and then nothing differs",
  async () => {
    await clone.inAccount(async (access) => {
      const iot = await access.iot();
      const { principals = [] } = await iot.send(new ListThingPrincipalsCommand({ thingName: "thing-1" }));
      for (const principal of principals) {
        await iot.send(new DetachThingPrincipalCommand({ thingName: "thing-1", principal }));
      }
      await iot.send(new DeleteThingCommand({ thingName: "thing-1" }));
    });
    assert.match(clone.run("build").stderr, "nothing to do");
    const state = clone.read(`${STATES}/thing/thing-1.tfstate`);
    const status = clone.run("status", "--verify");
    assert.is(status.exit, 1);
    assert.match(status.stderr, "drift    thing thing-1: aws_iot_thing.thing is gone from the account");
    assert.not.match(status.stderr, /drift {4}(?!thing thing-1)/);
    assert.is(clone.read(`${STATES}/thing/thing-1.tfstate`), state, "status changes nothing");
    const repaired = clone.run("build", "--verify", "--json");
    assert.is(repaired.exit, 0, repaired.stderr);
    assert.equal(ran(repaired), ["terraform/state/effects/thing/thing-1.json"]);
    assert.is(await planExit(clone, "thing", "thing-1"), 0);
  },
);

testWithProvider(
  test,
  "what an apply made that was killed before it could write it down is taken over, also where the state has a place for it",
  async () => {
    type Kept = { serial: number; resources: { type: string; instances: unknown[] }[] };
    clone.edit(`${STATES}/thing/thing-1.tfstate`, (text) => {
      const state = JSON.parse(text) as Kept;
      for (const one of state.resources) {
        if (one.type === "aws_iot_policy") {
          one.instances = [];
        }
      }
      return JSON.stringify({ ...state, serial: state.serial + 1 });
    });
    const target = "terraform/state/effects/thing/thing-1.json";
    const repaired = clone.run("build", "--verify", "--json", target);
    assert.is(repaired.exit, 0, repaired.stderr);
    assert.equal(ran(repaired), [target]);
  },
);

testWithProvider(
  test,
  "destroy of one thing leaves all else as it is, and the next build makes the thing anew",
  async () => {
    const core = clone.read(`${STATES}/core/core-1.tfstate`);
    const gone = clone.run("destroy", "thing-1", "--yes");
    assert.is(gone.exit, 0, gone.stderr);
    assert.is(census(clone.path(ACCOUNT)).things, 2, "the core, and somebody else's");
    assert.is(clone.read(`${STATES}/core/core-1.tfstate`), core);
    const again = clone.run("build");
    assert.is(again.exit, 0, again.stderr);
    assert.is(census(clone.path(ACCOUNT)).things, 3);
  },
);

testWithProvider(
  test,
  "destroy without a yes destroys nothing; with it the account is as it was before, without the project's own effects",
  async () => {
    addOwnEffects(clone.root);
    assert.is(clone.run("build").exit, 0);
    assert.match(clone.read(ACCOUNT), '"east"');
    const account = accountOf(clone.path(ACCOUNT));
    const asked = clone.run("destroy", "core-1");
    assert.is(asked.exit, 4, asked.stderr);
    assert.match(asked.stderr, "aws_iot_certificate.core IS DESTROYED");
    assert.equal(accountOf(clone.path(ACCOUNT)), account);
    const { exit, stderr } = clone.run("destroy", "--yes");
    assert.is(exit, 0, stderr);
    assert.equal(accountOf(clone.path(ACCOUNT)), contentBefore);
    assert.match(stderr, "edge/keys: private keys");
    assert.equal(filesBelow(clone, STATES), []);
  },
);

testWithProvider(
  test,
  "the sandbox's own way and Terraform give the same facts; what one made the other takes over",
  async (mirror) => {
    const other = terraformClone(mirror, "");
    cpSync(clone.path("edge/keys"), other.path("edge/keys"), { recursive: true });
    mkdirSync(other.path("terraform/state/sandbox"), { recursive: true });
    writeFileSync(other.path(ACCOUNT), accountBefore, { mode: 0o600 });
    other.edit("settings.ini", (text) => text.replace("group = my-group", "group = other"));
    const facts = () =>
      Object.fromEntries(
        ["instance/dospesos", "core/core-1", "thing/thing-1"].map((name) => {
          const { outputs } = JSON.parse(other.read(`terraform/state/effects/${name}.json`)) as {
            outputs: Record<string, string>;
          };
          const { certificate_id: id, certificate_arn: arn, certificate_pem: pem, ...same } = outputs;
          // Each certificate is another one, for the same key and of the same shape.
          if (pem === undefined) {
            return [name, same];
          }
          assert.ok(arn!.endsWith(`cert/${id}`));
          const { publicKey, subject, issuer } = new X509Certificate(pem);
          return [name, { ...same, key: publicKey.export({ type: "spki", format: "pem" }), subject, issuer }];
        }),
      );
    assert.is(other.run("build").exit, 0);
    const [builtIn, resources] = [facts(), census(other.path(ACCOUNT))];
    writeFileSync(other.path("settings.ini"), `${other.read("settings.ini")}\n[sandbox]\nterraform = on\n`);
    const { exit, stderr } = other.run("build");
    assert.is(exit, 0, stderr);
    assert.equal(facts(), builtIn);
    assert.equal(census(other.path(ACCOUNT)), resources, "nothing was made a second time");
  },
);

test("destroy of a sandbox that Terraform never touched leaves it as it was before", async () => {
  const plain = terraformClone(tempFolder("no-mirror"), "");
  assert.is(plain.run("build").exit, 0);
  const { exit, stderr } = plain.run("destroy", "--yes");
  assert.is(exit, 0, stderr);
  assert.equal(census(plain.path(ACCOUNT)), {});
  assert.is(plain.run("build").exit, 0);
});

test("the sandbox that Terraform does not change has nothing to verify", () => {
  const { exit, stderr } = terraformClone(tempFolder("no-mirror"), "").run("status", "--verify");
  assert.is(exit, 2);
  assert.match(stderr, "set [sandbox] terraform = on");
});

test.run();

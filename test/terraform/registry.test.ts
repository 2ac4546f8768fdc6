// Cores and things by the registry's API in an account that is no sandbox: what is shared stays Terraform's.
import { existsSync, readFileSync } from "node:fs";
import { UpdateCertificateCommand } from "@aws-sdk/client-iot";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { awsAccess } from "../../lib/aws/clients.ts";
import { changesIn } from "../../lib/terraform/plan.ts";
import type { Message } from "../../lib/terraform/stream.ts";
import { accountOf, regionIn } from "../support/account.ts";
import { BIN, Started, type Ended } from "../support/bin.ts";
import { testWithProvider } from "../support/terraform.ts";
import { inRealAccount, standIn, type StandIn } from "./real-account.ts";
import { terraformClone, type TerraformClone } from "./rig.ts";

const test = suite("the registry's API in a real account");

let aws: StandIn;
let clone: TerraformClone;
const STATES = "terraform/state/123456789012/eu-west-1";

async function run(...words: string[]): Promise<Ended> {
  return await new Started(
    clone.root,
    process.execPath,
    [BIN.replace(/.*\/lib\//, `${clone.root}/lib/`), ...words],
    { env: { ...clone.environment, ...aws.environment } },
  ).end(240_000);
}

async function ok(...words: string[]): Promise<string> {
  const { exit, stdout, stderr } = await run(...words);
  assert.is(exit, 0, stderr);
  return stdout + stderr;
}

/** What other steps need of core-1 and thing-1, without the certificate, which is another one each time. */
function facts(): unknown {
  return ["core/core-1", "thing/thing-1"].map((name) => {
    const { outputs } = JSON.parse(clone.read(`terraform/state/effects/${name}.json`)) as {
      outputs: Record<string, string>;
    };
    const { thing_name, thing_arn, certificate_arn, certificate_id, certificate_pem } = outputs;
    return { thing_name, thing_arn, certificate_arn, certificate_id, certificate_pem };
  });
}

const identities = (): unknown => regionIn(aws.file).certificates.map(({ id, things }) => [id, things]);

async function deactivate(certificateId: string): Promise<void> {
  const access = awsAccess({ region: "eu-west-1", endpoint: aws.environment["AWS_ENDPOINT_URL"]! });
  const iot = await access.iot();
  await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: "INACTIVE" }));
  access.close();
}

let emptied: string;

test.before(async () => {
  aws = await standIn();
  emptied = readFileSync(aws.file, "utf8");
});
test.after(() => aws.close());

test("what Terraform tells of a plan is in the same order each time", () => {
  const told = (...addresses: string[]): Message[] =>
    addresses.map((addr) => ({
      type: "planned_change",
      change: { action: "create", resource: { addr, resource_type: "aws_iam_role" } },
    }));
  const addresses = (messages: Message[]): string[] => changesIn(messages).map(({ address }) => address);
  assert.equal(addresses(told("b.x", "a.x", "c.x")), ["a.x", "b.x", "c.x"]);
  assert.equal(addresses(told("c.x", "b.x", "a.x")), ["a.x", "b.x", "c.x"]);
});

testWithProvider(test, "a plan is saved, read and applied: exactly it, or nothing", async (mirror) => {
  clone = terraformClone(mirror, "");
  clone.edit("settings.ini", (text) =>
    inRealAccount(text).replace("name = dospesos", "name = dospesos\nregistry = api"),
  );
  const before = accountOf(aws.file);
  const planned = await run("build", "--plan-out", "plan.json");
  assert.is(planned.exit, 5, planned.stderr);
  assert.match(planned.stderr, /would change: read plan\.json, then dospesos build --plan plan\.json/);
  assert.equal(accountOf(aws.file), before);
  const plan = JSON.parse(clone.read("plan.json")) as { effects: { name: string }[] };
  assert.equal(
    plan.effects.map(({ name }) => name),
    ["instance dospesos"],
  );
  clone.edit("settings.ini", (text) => `${text}[components]\nbucket = acme-artifacts\n`);
  const refused = await run("build", "--plan", "plan.json");
  assert.is(refused.exit, 4, refused.stderr);
  assert.match(
    refused.stderr,
    "error DP261: the plan no longer fits: it does not have these changes: instance",
  );
  assert.equal(accountOf(aws.file), before);
  // Step by step: what needs the instance can be planned when that is there.
  const exits: (number | null)[] = [];
  for (let wave = 0; wave < 6; wave++) {
    const { exit, stderr } = await run("build", "--plan-out", "plan.json");
    if (exit === 0) {
      break;
    }
    assert.is(exit, 5, stderr);
    const applied = await run("build", "--plan", "plan.json");
    assert.ok(applied.exit === 0 || applied.exit === 5, applied.stderr);
    exits.push(applied.exit);
    if (wave === 0) {
      assert.match(
        applied.stderr,
        "plan.json is applied; what follows can be planned now: service role dospesos",
      );
    }
  }
  assert.ok(exits.length > 2, "several plans");
  assert.equal([...new Set(exits.slice(0, -1)), exits.at(-1)], [5, 0]);
  assert.match(await ok("build"), "nothing to do");
  const { things, certificates } = regionIn(aws.file);
  assert.equal([things.length, certificates.length], [2, 2]);
  assert.not(existsSync(clone.path(`${STATES}/core`)));
  assert.match(await ok("build", "--verify", "--yes"), "nothing to do");
});

testWithProvider(
  test,
  "what the API made Terraform does not take: it would give the device another certificate",
  async () => {
    const before = identities();
    clone.edit("settings.ini", (text) => text.replace("registry = api", "registry = terraform"));
    const refused = await run("build", "--yes");
    assert.is(refused.exit, 4, refused.stderr);
    assert.match(refused.stderr, "core core-1 was made by the registry's API");
    assert.match(refused.stderr, "fix: set registry = api in [core core-1]");
    assert.equal(identities(), before);
    clone.edit("settings.ini", (text) => text.replace("registry = terraform", "registry = api"));
    await ok("build", "--yes");
    assert.equal(identities(), before);
    assert.match(await ok("build"), "nothing to do");
  },
);

testWithProvider(
  test,
  "what Terraform made the API takes over: the same facts, and no identity changes",
  async (mirror) => {
    await aws.reset(emptied);
    clone = terraformClone(mirror, "");
    clone.edit("settings.ini", inRealAccount);
    await ok("build", "--yes");
    const [byTerraform, made] = [facts(), identities()];
    clone.edit("settings.ini", (text) => text.replace("name = dospesos", "name = dospesos\nregistry = api"));
    const taken = await ok("build", "--yes");
    assert.match(taken, "core core-1 is made by the registry's API now; Terraform's state is kept as");
    assert.equal(facts(), byTerraform);
    assert.equal(identities(), made);
    assert.not(existsSync(clone.path(`${STATES}/core/core-1.tfstate`)));
    assert.match(await ok("build"), "nothing to do");
    // Somebody deactivates a certificate: what differs is found, and made right again.
    const { id } = regionIn(aws.file).certificates.find(({ things }) => things.includes("core-1"))!;
    await deactivate(id);
    const verified = await run("status", "--verify");
    assert.match(verified.stdout + verified.stderr, "certificate is INACTIVE");
    await ok("build", "--verify", "--yes");
    assert.is(regionIn(aws.file).certificates.find((one) => one.id === id)!.status, "ACTIVE");
  },
);

test.run();

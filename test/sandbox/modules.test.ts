import { readFileSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { GetRoleCommand, GetRolePolicyCommand, UpdateAssumeRolePolicyCommand } from "@aws-sdk/client-iam";
import * as iot from "@aws-sdk/client-iot";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ensureThingGroup } from "../../lib/aws/thing-group.ts";
import { certificateBelongsTo, createCsr, createKey } from "../../lib/pki/keypair.ts";
import { ProblemError } from "../../lib/problem/index.ts";
import { applyCore } from "../../lib/registry/core.ts";
import { applyInstance } from "../../lib/registry/instance.ts";
import { applyThing } from "../../lib/registry/thing.ts";
import type { RegistryAccess } from "../../lib/registry/access.ts";
import { openCertificateJournal } from "../../lib/registry/certificate-journal.ts";
import type { CoreVars, InstanceVars, ThingVars } from "../../lib/modules/contract.ts";
import type { AwsAccess } from "../../lib/aws/clients.ts";
import { tempFolder } from "../support/temp.ts";
import { failure, policy, REGION, withSandbox, type Rig } from "./rig.ts";

/** The registry of an account that no run was killed in. */
const inRegistry = (access: AwsAccess): RegistryAccess => ({
  access,
  certificates: openCertificateJournal(tempFolder("journal")),
  replacesIdentities: true,
});

const shared = { region: REGION, account: "000000000000", instance: "acme", revision: "1" };

const instanceVars: InstanceVars = {
  ...shared,
  token_exchange_role: "acme-token-exchange",
  token_exchange_policy: policy("s3:GetObject"),
  token_exchange_alias: "acme-alias",
  core_policy: "acme-core",
  core_policy_document: policy("iot:Connect"),
};

const key = createKey();
const coreVars: CoreVars = {
  ...shared,
  name: "core-1",
  group: "fleet",
  csr: await createCsr(key, "core-1"),
  next_csr: "",
  core_policy: "acme-core",
  device_policy: "acme-core-1",
  device_policy_document: policy("iot:Publish"),
};
const thingVars: ThingVars = {
  ...shared,
  name: "thing-1",
  csr: await createCsr(createKey(), "thing-1"),
  next_csr: "",
  policy: "acme-thing-1",
  policy_document: policy("greengrass:Discover"),
};

/** What is attached to the thing, as names and the ids of certificates. */
async function stateOf({ access }: Rig, thingName: string) {
  const client = await access.iot();
  const { principals = [] } = await client.send(new iot.ListThingPrincipalsCommand({ thingName }));
  const attached = await Promise.all(
    principals.map((target) => client.send(new iot.ListAttachedPoliciesCommand({ target }))),
  );
  const { thingGroups = [] } = await client.send(new iot.ListThingGroupsForThingCommand({ thingName }));
  const { certificates = [] } = await client.send(new iot.ListCertificatesCommand({}));
  return {
    principals,
    policies: attached.map(({ policies = [] }) => policies.map(({ policyName }) => policyName)),
    groups: thingGroups.map(({ groupName }) => groupName),
    certificates: certificates.map(({ certificateId, status }) => `${certificateId} ${status}`),
  };
}

async function prepared(rig: Rig): Promise<void> {
  await applyInstance(inRegistry(rig.access), instanceVars);
  await ensureThingGroup(rig.access, { name: "fleet", instance: "acme" });
}

test("an instance gets its role, alias, policy and endpoints", () =>
  withSandbox(async ({ access }) => {
    const outputs = await applyInstance(inRegistry(access), instanceVars);
    assert.match(outputs.data_endpoint, /^\w{14}-ats\.iot\.eu-west-1\.amazonaws\.com$/);
    assert.match(outputs.credentials_endpoint, /^\w{14}\.credentials\.iot\.eu-west-1\.amazonaws\.com$/);
    assert.equal(
      { ...outputs, data_endpoint: "", credentials_endpoint: "" },
      {
        region: REGION,
        account: "000000000000",
        token_exchange_role_arn: "arn:aws:iam::000000000000:role/acme-token-exchange",
        token_exchange_alias: "acme-alias",
        token_exchange_alias_arn: "arn:aws:iot:eu-west-1:000000000000:rolealias/acme-alias",
        core_policy: "acme-core",
        data_endpoint: "",
        credentials_endpoint: "",
        revision: "1",
      },
    );
    const iam = await access.iam();
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: "acme-token-exchange" }));
    assert.match(
      decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ""),
      /"credentials\.iot\.amazonaws\.com"/,
    );
    assert.equal(Role?.Tags, [{ Key: "dospesos:instance", Value: "acme" }]);
    const alias = await (
      await access.iot()
    ).send(new iot.DescribeRoleAliasCommand({ roleAlias: "acme-alias" }));
    assert.is(alias.roleAliasDescription?.roleArn, outputs.token_exchange_role_arn);
    assert.is(alias.roleAliasDescription?.credentialDurationSeconds, 3600);
  }));

test("a core gets a thing, an active certificate for its key, both policies and its group", () =>
  withSandbox(async (rig) => {
    await prepared(rig);
    const outputs = await applyCore(inRegistry(rig.access), coreVars);
    assert.ok(certificateBelongsTo(outputs.certificate_pem, key));
    assert.ok(
      new X509Certificate(outputs.certificate_pem).verify(new X509Certificate(rig.sandbox.caPem).publicKey),
    );
    assert.is(outputs.thing_arn, "arn:aws:iot:eu-west-1:000000000000:thing/core-1");
    assert.equal(await stateOf(rig, "core-1"), {
      principals: [outputs.certificate_arn],
      policies: [["acme-core", "acme-core-1"]],
      groups: ["fleet"],
      certificates: [`${outputs.certificate_id} ACTIVE`],
    });
    const described = await (
      await rig.access.iot()
    ).send(new iot.DescribeThingCommand({ thingName: "core-1" }));
    assert.equal(described.attributes, { dospesos_instance: "acme" });
  }));

test("a client thing gets its own policy only", () =>
  withSandbox(async (rig) => {
    const outputs = await applyThing(inRegistry(rig.access), thingVars);
    const { policies, groups, principals } = await stateOf(rig, "thing-1");
    assert.equal(
      { policies, groups, principals },
      { policies: [["acme-thing-1"]], groups: [], principals: [outputs.certificate_arn] },
    );
  }));

test("applying twice gives equal outputs and changes no byte of the account", () =>
  withSandbox(async (rig) => {
    const apply = async () => {
      await prepared(rig);
      return [
        await applyInstance(inRegistry(rig.access), instanceVars),
        await applyCore(inRegistry(rig.access), coreVars),
        await applyThing(inRegistry(rig.access), thingVars),
      ];
    };
    const first = await apply();
    const bytes = readFileSync(rig.file, "utf8");
    assert.equal(await apply(), first);
    assert.is(readFileSync(rig.file, "utf8"), bytes);
  }));

test("a changed revision comes back and changes nothing else", () =>
  withSandbox(async (rig) => {
    const first = await applyThing(inRegistry(rig.access), thingVars);
    const bytes = readFileSync(rig.file, "utf8");
    assert.equal(await applyThing(inRegistry(rig.access), { ...thingVars, revision: "2" }), {
      ...first,
      revision: "2",
    });
    assert.is(readFileSync(rig.file, "utf8"), bytes);
  }));

test("a changed policy document becomes the only version", () =>
  withSandbox(async (rig) => {
    await prepared(rig);
    await applyCore(inRegistry(rig.access), coreVars);
    const client = await rig.access.iot();
    for (const action of ["a:1", "a:2", "a:3", "a:4", "a:5", "a:6"]) {
      await applyCore(inRegistry(rig.access), { ...coreVars, device_policy_document: policy(action) });
      await applyInstance(inRegistry(rig.access), { ...instanceVars, core_policy_document: policy(action) });
    }
    for (const policyName of ["acme-core-1", "acme-core"]) {
      assert.is((await client.send(new iot.GetPolicyCommand({ policyName }))).policyDocument, policy("a:6"));
      assert.is(
        (await client.send(new iot.ListPolicyVersionsCommand({ policyName }))).policyVersions?.length,
        1,
      );
    }
  }));

test("versions that an interrupted run left are removed", () =>
  withSandbox(async (rig) => {
    await applyThing(inRegistry(rig.access), thingVars);
    const client = await rig.access.iot();
    for (let i = 0; i < 4; i++) {
      await client.send(
        new iot.CreatePolicyVersionCommand({
          policyName: "acme-thing-1",
          policyDocument: policy("a:b"),
          setAsDefault: false,
        }),
      );
    }
    await applyThing(inRegistry(rig.access), { ...thingVars, policy_document: policy("a:c") });
    const { policyVersions } = await client.send(
      new iot.ListPolicyVersionsCommand({ policyName: "acme-thing-1" }),
    );
    assert.equal(
      policyVersions?.map(({ versionId, isDefaultVersion }) => [versionId, isDefaultVersion]),
      [["6", true]],
    );
  }));

test("a changed role policy replaces the old one, and a changed trust is put right", () =>
  withSandbox(async ({ access }) => {
    await applyInstance(inRegistry(access), instanceVars);
    const iam = await access.iam();
    const RoleName = "acme-token-exchange";
    const trust = async () =>
      (await iam.send(new GetRoleCommand({ RoleName }))).Role?.AssumeRolePolicyDocument;
    const before = await trust();
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: "{}" }));
    await applyInstance(inRegistry(access), {
      ...instanceVars,
      token_exchange_policy: policy("logs:PutLogEvents"),
    });
    const inline = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: "token-exchange" }));
    assert.is(decodeURIComponent(inline.PolicyDocument ?? ""), policy("logs:PutLogEvents"));
    assert.is(await trust(), before);
  }));

test("a changed role is what the alias points to", () =>
  withSandbox(async ({ access }) => {
    await applyInstance(inRegistry(access), instanceVars);
    const outputs = await applyInstance(inRegistry(access), {
      ...instanceVars,
      token_exchange_role: "acme-other",
    });
    const alias = await (
      await access.iot()
    ).send(new iot.DescribeRoleAliasCommand({ roleAlias: "acme-alias" }));
    assert.is(alias.roleAliasDescription?.roleArn, "arn:aws:iam::000000000000:role/acme-other");
    assert.is(outputs.token_exchange_role_arn, alias.roleAliasDescription?.roleArn);
  }));

test("a request for another key replaces the certificate; another request for the same key keeps it", () =>
  withSandbox(async (rig) => {
    await prepared(rig);
    const first = await applyCore(inRegistry(rig.access), coreVars);
    assert.is(
      (await applyCore(inRegistry(rig.access), { ...coreVars, csr: await createCsr(key, "core-1") }))
        .certificate_id,
      first.certificate_id,
    );
    const otherKey = createKey();
    const second = await applyCore(inRegistry(rig.access), {
      ...coreVars,
      csr: await createCsr(otherKey, "core-1"),
    });
    assert.ok(certificateBelongsTo(second.certificate_pem, otherKey));
    const state = await stateOf(rig, "core-1");
    assert.equal(state.certificates, [`${second.certificate_id} ACTIVE`]);
    assert.equal(state.principals, [second.certificate_arn]);
    assert.equal(state.policies, [["acme-core", "acme-core-1"]]);
  }));

test("a certificate that somebody deactivated is active again", () =>
  withSandbox(async (rig) => {
    const { certificate_id: certificateId } = await applyThing(inRegistry(rig.access), thingVars);
    await (
      await rig.access.iot()
    ).send(new iot.UpdateCertificateCommand({ certificateId, newStatus: "INACTIVE" }));
    await applyThing(inRegistry(rig.access), thingVars);
    assert.equal((await stateOf(rig, "thing-1")).certificates, [`${certificateId} ACTIVE`]);
  }));

test("a core moves to its new group and stays in groups that are not the instance's", () =>
  withSandbox(async (rig) => {
    await prepared(rig);
    await applyCore(inRegistry(rig.access), coreVars);
    const client = await rig.access.iot();
    await client.send(new iot.CreateThingGroupCommand({ thingGroupName: "theirs" }));
    await client.send(new iot.AddThingToThingGroupCommand({ thingName: "core-1", thingGroupName: "theirs" }));
    await ensureThingGroup(rig.access, { name: "other", instance: "acme" });
    await applyCore(inRegistry(rig.access), { ...coreVars, group: "other" });
    assert.equal((await stateOf(rig, "core-1")).groups.sort(), ["other", "theirs"]);
  }));

test("a changed policy name takes the old policy from the certificate", () =>
  withSandbox(async (rig) => {
    await prepared(rig);
    await applyCore(inRegistry(rig.access), coreVars);
    await applyCore(inRegistry(rig.access), { ...coreVars, device_policy: "acme-renamed" });
    assert.equal((await stateOf(rig, "core-1")).policies, [["acme-core", "acme-renamed"]]);
  }));

test("what another instance, or nobody of DosPesos, made is not touched", () =>
  withSandbox(async (rig) => {
    await prepared(rig);
    await applyCore(inRegistry(rig.access), coreVars);
    await (await rig.access.iot()).send(new iot.CreateThingCommand({ thingName: "by-hand" }));
    const bytes = readFileSync(rig.file, "utf8");
    const attempts = [
      () =>
        applyCore(inRegistry(rig.access), { ...coreVars, instance: "rival", device_policy: "rival-core-1" }),
      () => applyThing(inRegistry(rig.access), { ...thingVars, name: "by-hand" }),
      () => applyInstance(inRegistry(rig.access), { ...instanceVars, instance: "rival" }),
      () =>
        applyInstance(inRegistry(rig.access), {
          ...instanceVars,
          instance: "rival",
          token_exchange_role: "acme-token-exchange",
        }),
    ];
    for (const attempt of attempts) {
      const error = await failure(attempt());
      assert.instance(error, ProblemError);
      assert.is((error as ProblemError).exitCode, 4);
      assert.match(
        error.message,
        /exists already and (belongs to the instance "acme"|was not made by DosPesos)/,
      );
    }
    assert.is(readFileSync(rig.file, "utf8"), bytes);
  }));

test("another account than the settings name is refused before anything changes", () =>
  withSandbox(async (rig) => {
    const bytes = readFileSync(rig.file, "utf8");
    for (const work of [
      () => applyInstance(inRegistry(rig.access), { ...instanceVars, account: "123456789012" }),
      () => applyCore(inRegistry(rig.access), { ...coreVars, account: "123456789012" }),
      () => applyThing(inRegistry(rig.access), { ...thingVars, account: "123456789012" }),
    ]) {
      const error = await failure(work());
      assert.is((error as ProblemError).exitCode, 4);
      assert.match(error.message, /belong to the account 000000000000, but the settings name 123456789012/);
    }
    assert.is(readFileSync(rig.file, "utf8"), bytes);
  }));

test("a core whose group does not exist says which call failed", () =>
  withSandbox(async (rig) => {
    await applyInstance(inRegistry(rig.access), instanceVars);
    const error = await failure(applyCore(inRegistry(rig.access), coreVars));
    assert.is((error as ProblemError).exitCode, 1);
    assert.match(
      error.message,
      /iot:AddThingToThingGroup of "core-1 to fleet" failed: ResourceNotFoundException/,
    );
  }));

test.run();

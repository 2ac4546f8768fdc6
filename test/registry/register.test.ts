// The registry's API: how many calls a core takes, and what a run that was killed left between two of them.
import { appendFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import * as iot from "@aws-sdk/client-iot";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { AwsAccess } from "../../lib/aws/clients.ts";
import { Pace } from "../../lib/aws/pace.ts";
import { createCsr, createKey } from "../../lib/pki/keypair.ts";
import { openCertificateJournal } from "../../lib/registry/certificate-journal.ts";
import { applyCore } from "../../lib/registry/core.ts";
import { driftOfRegistered } from "../../lib/registry/drift.ts";
import type { Identity } from "../../lib/registry/identity.ts";
import { registerCore, registerThing, unregisterCore, unregisterThing } from "../../lib/registry/register.ts";
import { failure, withSandbox } from "../sandbox/rig.ts";
import { regionIn } from "../support/account.ts";
import { tempFolder } from "../support/temp.ts";

const DOCUMENT = JSON.stringify({ Version: "2012-10-17", Statement: [] });

async function identityOf(name: string): Promise<Identity> {
  return {
    instance: "acme",
    name,
    csr: await createCsr(createKey(), name),
    nextCsr: "",
    policy: { name: `acme-core-${name}`, document: DOCUMENT },
    sharedPolicies: [],
  };
}

/** The operations that are called from now on. */
async function callsOf(access: AwsAccess): Promise<string[]> {
  const calls: string[] = [];
  for (const client of [await access.iot(), await access.greengrass()]) {
    const { middlewareStack } = client;
    middlewareStack.add((next, { commandName = "" }) => (args) => {
      calls.push(commandName.replace("Command", ""));
      return next(args);
    });
  }
  return calls;
}

/** The account does what is asked by that operation, and its answers are lost, so many times. */
async function losing(access: AwsAccess, operation: string, times: number): Promise<void> {
  const client = await access.iot();
  let left = times;
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const answer = await next(args);
        if (commandName === `${operation}Command` && left-- > 0) {
          throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
        }
        return answer;
      },
    { step: "deserialize", priority: "low" },
  );
}

test("a certificate whose answer was lost is found again and not asked for twice", () =>
  withSandbox(async ({ access }) => {
    const certificates = openCertificateJournal(tempFolder("journal"));
    const registry = { access, certificates, replacesIdentities: true };
    await registerCore(registry, await identityOf("core-1"), "lab", undefined);
    await losing(access, "CreateCertificateFromCsr", 1);
    await losing(access, "CreateThing", 1);
    const made = await registerCore(registry, await identityOf("core-2"), "lab", undefined);
    const { certificates: all = [] } = await (await access.iot()).send(new iot.ListCertificatesCommand({}));
    assert.is(all.length, 2);
    assert.ok(all.some(({ certificateId }) => certificateId === made.certificate_id));
    assert.equal(await driftOfRegistered(access, made), []);
  }));

test("a new core takes seven calls and a new thing seven; of the group the first of its cores asks alone", () =>
  withSandbox(async ({ access }) => {
    const certificates = openCertificateJournal(tempFolder("journal"));
    await registerCore(
      { access, certificates, replacesIdentities: true },
      await identityOf("first"),
      "lab",
      undefined,
    );
    const calls = await callsOf(access);
    await registerCore(
      { access, certificates, replacesIdentities: true },
      await identityOf("core-1"),
      "lab",
      undefined,
    );
    assert.equal(calls.splice(0).sort(), [
      "AddThingToThingGroup",
      "AttachPolicy",
      "AttachThingPrincipal",
      "CreateCertificateFromCsr",
      "CreatePolicy",
      "CreateThing",
      "DescribeThing",
    ]);
    const thing = await identityOf("thing-1");
    await registerThing({ access, certificates, replacesIdentities: true }, thing, "core-1", undefined);
    assert.is(calls.splice(0).length, 7);
    // Once more with the same changes nothing.
    const before = await (await access.iot()).send(new iot.ListCertificatesCommand({}));
    await registerThing({ access, certificates, replacesIdentities: true }, thing, "core-1", undefined);
    assert.not(calls.some((name) => name.startsWith("Create") || name.startsWith("Attach")));
    const after = await (await access.iot()).send(new iot.ListCertificatesCommand({}));
    assert.equal(after.certificates, before.certificates);
  }));

test("a certificate whose answer nobody heard is found, and not made a second time", () =>
  withSandbox(async ({ access, file }) => {
    const folder = tempFolder("journal");
    const identity = await identityOf("core-1");
    const client = await access.iot();
    // What a killed run left: the thing, a line in the journal, a certificate that is attached to nothing.
    await client.send(
      new iot.CreateThingCommand({
        thingName: "core-1",
        attributePayload: { attributes: { dospesos_instance: "acme" } },
      }),
    );
    appendFileSync(join(folder, "certificates.log"), `asked ${Date.now()} core-1\nasked 17`);
    const { certificateId } = await client.send(
      new iot.CreateCertificateFromCsrCommand({ certificateSigningRequest: identity.csr, setAsActive: true }),
    );
    const other = await identityOf("other");
    await client.send(new iot.CreateCertificateFromCsrCommand({ certificateSigningRequest: other.csr }));
    const certificates = openCertificateJournal(folder);
    const made = await registerCore(
      { access, certificates, replacesIdentities: true },
      identity,
      "lab",
      undefined,
    );
    assert.is(made.certificate_id, certificateId);
    assert.is(regionIn(file).certificates.length, 2);
    await certificates.close();
    assert.not(existsSync(join(folder, "certificates.log")), "nothing is open any more");
  }));

test("a certificate whose answer was written down is taken by its id", () =>
  withSandbox(async ({ access, file }) => {
    const folder = tempFolder("journal");
    mkdirSync(folder, { recursive: true });
    const identity = await identityOf("core-1");
    const client = await access.iot();
    await client.send(
      new iot.CreateThingCommand({
        thingName: "core-1",
        attributePayload: { attributes: { dospesos_instance: "acme" } },
      }),
    );
    const { certificateId } = await client.send(
      new iot.CreateCertificateFromCsrCommand({ certificateSigningRequest: identity.csr, setAsActive: true }),
    );
    appendFileSync(join(folder, "certificates.log"), `asked 1 core-1\nmade ${certificateId} core-1\n`);
    const certificates = openCertificateJournal(folder);
    const made = await registerCore(
      { access, certificates, replacesIdentities: true },
      identity,
      "lab",
      undefined,
    );
    assert.is(made.certificate_id, certificateId);
    assert.is(regionIn(file).certificates.length, 1);
  }));

test("the API and the modules' own way give the same facts of one identity", () =>
  withSandbox(async ({ access }) => {
    const certificates = openCertificateJournal(tempFolder("journal"));
    const identity = await identityOf("core-1");
    const {
      registry: _,
      arn: __,
      instance: ___,
      groups: ____,
      ...byApi
    } = await registerCore({ access, certificates, replacesIdentities: true }, identity, "lab", undefined);
    await (
      await access.iot()
    ).send(new iot.CreatePolicyCommand({ policyName: "acme-core", policyDocument: DOCUMENT }));
    const { revision: _____, ...byModule } = await applyCore(
      { access, certificates, replacesIdentities: true },
      {
        region: "eu-west-1",
        account: "000000000000",
        instance: "acme",
        name: "core-1",
        group: "lab",
        csr: identity.csr,
        next_csr: "",
        core_policy: "acme-core",
        device_policy: identity.policy.name,
        device_policy_document: DOCUMENT,
        revision: "1",
      },
    );
    assert.equal(byModule, byApi);
  }));

test("where devices are real, another key is a mistake and replaces no certificate", () =>
  withSandbox(async ({ access, file }) => {
    const certificates = openCertificateJournal(tempFolder("journal"));
    const registry = { access, certificates, replacesIdentities: false };
    await registerCore(registry, await identityOf("core-1"), "lab", undefined);
    const before = regionIn(file).certificates;
    const error = await failure(registerCore(registry, await identityOf("core-1"), "lab", undefined));
    assert.match(error.message, "DP617: the certificate of core-1 was issued for another key");
    assert.equal(regionIn(file).certificates, before);
  }));

test("what differs is named, and the end leaves nothing", () =>
  withSandbox(async ({ access, file }) => {
    const registry = {
      access,
      certificates: openCertificateJournal(tempFolder("journal")),
      replacesIdentities: true,
    };
    const core = await registerCore(registry, await identityOf("core-1"), "lab", undefined);
    const thing = await registerThing(registry, await identityOf("thing-1"), "core-1", undefined);
    assert.equal(await driftOfRegistered(access, core), []);
    const client = await access.iot();
    await client.send(
      new iot.RemoveThingFromThingGroupCommand({ thingName: "core-1", thingGroupName: "lab" }),
    );
    await client.send(
      new iot.UpdateCertificateCommand({ certificateId: core.certificate_id, newStatus: "INACTIVE" }),
    );
    assert.equal(await driftOfRegistered(access, core), [
      { address: "certificate", what: "is INACTIVE" },
      { address: "thing group", what: "core-1 is not in lab" },
    ]);
    await unregisterThing(registry, thing);
    await unregisterCore(registry, core);
    const left = Object.entries(regionIn(file)).filter(([, list]) => list.length > 0);
    assert.equal(left, []);
    assert.equal(await driftOfRegistered(access, core), [{ address: "thing", what: "is gone" }]);
  }));

test("calls keep the pace of their quota, and slow down where they are refused", async () => {
  const pace = new Pace({ AttachPolicy: 50 });
  const begin = performance.now();
  const turns = async (count: number): Promise<number> => {
    const from = performance.now();
    await Promise.all(Array.from({ length: count }, () => pace.turn("AttachPolicy")));
    return performance.now() - from;
  };
  assert.ok((await turns(11)) >= 190, "ten of them wait 20 ms each");
  pace.refused("AttachPolicy");
  assert.ok((await turns(1)) >= 400, "nothing is sent for a while");
  await Promise.all(Array.from({ length: 1000 }, () => pace.turn("DescribeEndpoint")));
  assert.ok(performance.now() - begin < 60_000, "what has no quota does not wait");
});

test.run();

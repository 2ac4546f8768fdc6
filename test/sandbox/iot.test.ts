import { X509Certificate } from "node:crypto";
import * as iot from "@aws-sdk/client-iot";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { certificateBelongsTo, createCsr, createKey } from "../../lib/pki/keypair.ts";
import { failure, policy, REGION, refused, withSandbox } from "./rig.ts";

test("a thing is made, described, found by its attribute, updated and deleted", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    const made = await client.send(
      new iot.CreateThingCommand({
        thingName: "a:b",
        attributePayload: { attributes: { site: "north", x: "" } },
      }),
    );
    assert.is(made.thingArn, "arn:aws:iot:eu-west-1:000000000000:thing/a:b");
    assert.match(made.thingId ?? "", /^[0-9a-f-]{36}$/);
    const described = await client.send(new iot.DescribeThingCommand({ thingName: "a:b" }));
    assert.equal(described.attributes, { site: "north" });
    assert.is(described.version, 1);
    await client.send(
      new iot.UpdateThingCommand({
        thingName: "a:b",
        attributePayload: { attributes: { floor: "2" }, merge: true },
      }),
    );
    const listed = await client.send(
      new iot.ListThingsCommand({ attributeName: "floor", attributeValue: "2" }),
    );
    assert.equal(
      listed.things?.map(({ attributes, version }) => ({ attributes, version })),
      [{ attributes: { site: "north", floor: "2" }, version: 2 }],
    );
    await refused(
      client.send(new iot.UpdateThingCommand({ thingName: "a:b", expectedVersion: 1 })),
      iot.VersionConflictException,
    );
    await client.send(new iot.DeleteThingCommand({ thingName: "a:b" }));
    await client.send(new iot.DeleteThingCommand({ thingName: "a:b" }));
    await refused(
      client.send(new iot.DescribeThingCommand({ thingName: "a:b" })),
      iot.ResourceNotFoundException,
    );
  }));

test("making an equal thing again succeeds, making another one under its name conflicts", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    const command = (site: string) =>
      new iot.CreateThingCommand({ thingName: "t", attributePayload: { attributes: { site } } });
    const first = await client.send(command("north"));
    assert.is((await client.send(command("north"))).thingId, first.thingId);
    const error = await failure(client.send(command("south")));
    assert.instance(error, iot.ResourceAlreadyExistsException);
    assert.is((error as iot.ResourceAlreadyExistsException).resourceId, "t");
  }));

test("names that are also names of JavaScript objects are ordinary names", () =>
  withSandbox(async ({ access, file }) => {
    const client = await access.iot();
    for (const thingName of ["__proto__", "constructor"]) {
      await refused(client.send(new iot.DescribeThingCommand({ thingName })), iot.ResourceNotFoundException);
      await client.send(
        new iot.CreateThingCommand({ thingName, attributePayload: { attributes: { constructor: "x" } } }),
      );
    }
    await withSandbox(async (again) => {
      const described = await (
        await again.access.iot()
      ).send(new iot.DescribeThingCommand({ thingName: "__proto__" }));
      assert.equal(Object.entries(described.attributes ?? {}), [["constructor", "x"]]);
    }, file);
  }));

test("a bad name or attribute is an invalid request", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    for (const command of [
      new iot.CreateThingCommand({ thingName: "a b" }),
      new iot.CreateThingCommand({ thingName: "x".repeat(129) }),
      new iot.CreateThingCommand({ thingName: "t", attributePayload: { attributes: { "a b": "c" } } }),
    ]) {
      await refused(client.send(command), iot.InvalidRequestException);
    }
  }));

test("a list with a limit comes in parts", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    for (const thingName of ["a", "b", "c", "d", "e"]) {
      await client.send(new iot.CreateThingCommand({ thingName }));
    }
    const sizes: number[] = [];
    for await (const part of iot.paginateListThings({ client, pageSize: 2 }, {})) {
      sizes.push(part.things?.length ?? 0);
    }
    assert.equal(sizes, [2, 2, 1]);
  }));

test("a certificate is signed by the sandbox CA for the key of the request", () =>
  withSandbox(async ({ access, sandbox }) => {
    const client = await access.iot();
    const key = createKey();
    const certificateSigningRequest = await createCsr(key, "core-1");
    const made = await client.send(
      new iot.CreateCertificateFromCsrCommand({ certificateSigningRequest, setAsActive: true }),
    );
    const ca = new X509Certificate(sandbox.caPem);
    const certificate = new X509Certificate(made.certificatePem ?? "");
    assert.ok(certificate.verify(ca.publicKey));
    assert.ok(certificate.checkIssued(ca));
    assert.ok(ca.ca && !certificate.ca);
    assert.match(ca.subject, /SANDBOX/);
    assert.is(certificate.subject, "CN=core-1");
    assert.ok(certificateBelongsTo(made.certificatePem ?? "", key));
    assert.is(made.certificateId, certificate.fingerprint256.replaceAll(":", "").toLowerCase());
    const again = await client.send(new iot.CreateCertificateFromCsrCommand({ certificateSigningRequest }));
    assert.is.not(again.certificateId, made.certificateId);
    const { certificateDescription } = await client.send(
      new iot.DescribeCertificateCommand({ certificateId: again.certificateId }),
    );
    assert.is(certificateDescription?.status, "INACTIVE");
    assert.is(certificateDescription?.validity?.notAfter?.toISOString(), "2049-12-31T23:59:59.000Z");
    assert.is((await client.send(new iot.ListCertificatesCommand({}))).certificates?.length, 2);
  }));

test("a key made by AWS belongs to its certificate and is not kept", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    const made = await client.send(new iot.CreateKeysAndCertificateCommand({ setAsActive: true }));
    assert.ok(certificateBelongsTo(made.certificatePem ?? "", made.keyPair?.PrivateKey ?? ""));
  }));

test("a request that is broken, tampered with or for a weak key is refused", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    const good = Buffer.from((await createCsr(createKey(), "t")).replace(/-----.*-----/g, ""), "base64");
    good[good.length - 1]! ^= 1;
    const tampered = `-----BEGIN CERTIFICATE REQUEST-----\n${good.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
    for (const certificateSigningRequest of ["nonsense", tampered, "x".repeat(4097)]) {
      const error = await failure(
        client.send(new iot.CreateCertificateFromCsrCommand({ certificateSigningRequest })),
      );
      assert.instance(error, iot.InvalidRequestException);
    }
  }));

test("nothing that is still used can be deleted", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    const certificateSigningRequest = await createCsr(createKey(), "t");
    const { certificateArn: principal, certificateId } = await client.send(
      new iot.CreateCertificateFromCsrCommand({ certificateSigningRequest, setAsActive: true }),
    );
    await client.send(new iot.CreateThingCommand({ thingName: "t" }));
    await client.send(
      new iot.CreatePolicyCommand({ policyName: "p", policyDocument: policy("iot:Connect") }),
    );
    await client.send(new iot.AttachThingPrincipalCommand({ thingName: "t", principal }));
    await client.send(new iot.AttachPolicyCommand({ policyName: "p", target: principal }));
    await client.send(new iot.AttachPolicyCommand({ policyName: "p", target: principal }));
    assert.equal((await client.send(new iot.ListThingPrincipalsCommand({ thingName: "t" }))).principals, [
      principal,
    ]);
    assert.equal((await client.send(new iot.ListPrincipalThingsCommand({ principal }))).things, ["t"]);
    assert.equal((await client.send(new iot.ListTargetsForPolicyCommand({ policyName: "p" }))).targets, [
      principal,
    ]);
    assert.equal(
      (await client.send(new iot.ListAttachedPoliciesCommand({ target: principal }))).policies?.map(
        (each) => each.policyName,
      ),
      ["p"],
    );
    const deleteCertificate = () => client.send(new iot.DeleteCertificateCommand({ certificateId }));
    const deletePolicy = () => client.send(new iot.DeletePolicyCommand({ policyName: "p" }));

    await refused(client.send(new iot.DeleteThingCommand({ thingName: "t" })), iot.InvalidRequestException);
    await refused(deleteCertificate(), iot.DeleteConflictException);
    await client.send(new iot.UpdateCertificateCommand({ certificateId, newStatus: "INACTIVE" }));
    await refused(deleteCertificate(), iot.DeleteConflictException);
    await client.send(new iot.DetachThingPrincipalCommand({ thingName: "t", principal }));
    await refused(deleteCertificate(), iot.DeleteConflictException);
    await refused(deletePolicy(), iot.DeleteConflictException);
    await client.send(new iot.DetachPolicyCommand({ policyName: "p", target: principal }));
    await client.send(
      new iot.CreatePolicyVersionCommand({
        policyName: "p",
        policyDocument: policy("iot:Publish"),
        setAsDefault: true,
      }),
    );
    await refused(deletePolicy(), iot.DeleteConflictException);
    await client.send(new iot.DeletePolicyVersionCommand({ policyName: "p", policyVersionId: "1" }));
    await deletePolicy();
    await deleteCertificate();
    await client.send(new iot.DeleteThingCommand({ thingName: "t" }));
  }));

test("an exclusive principal speaks for one thing only", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    const { certificateArn: principal } = await client.send(new iot.CreateKeysAndCertificateCommand({}));
    for (const thingName of ["a", "b"]) {
      await client.send(new iot.CreateThingCommand({ thingName }));
    }
    await client.send(
      new iot.AttachThingPrincipalCommand({
        thingName: "a",
        principal,
        thingPrincipalType: "EXCLUSIVE_THING",
      }),
    );
    await refused(
      client.send(new iot.AttachThingPrincipalCommand({ thingName: "b", principal })),
      iot.InvalidRequestException,
    );
    const { thingPrincipalObjects } = await client.send(
      new iot.ListThingPrincipalsV2Command({ thingName: "a" }),
    );
    assert.equal(thingPrincipalObjects, [{ principal, thingPrincipalType: "EXCLUSIVE_THING" }]);
  }));

test("a policy has versions, at most five, one of them in effect", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    const policyName = "p=1,@x";
    await client.send(
      new iot.CreatePolicyCommand({
        policyName,
        policyDocument: policy("iot:Connect"),
        tags: [{ Key: "k", Value: "v" }],
      }),
    );
    const again = client.send(
      new iot.CreatePolicyCommand({ policyName, policyDocument: policy("iot:Connect") }),
    );
    await refused(again, iot.ResourceAlreadyExistsException);
    const version = (action: string, setAsDefault: boolean) =>
      client.send(
        new iot.CreatePolicyVersionCommand({ policyName, policyDocument: policy(action), setAsDefault }),
      );
    assert.is((await version("iot:Publish", true)).policyVersionId, "2");
    assert.is(
      (await client.send(new iot.GetPolicyCommand({ policyName }))).policyDocument,
      policy("iot:Publish"),
    );
    await refused(
      client.send(new iot.DeletePolicyVersionCommand({ policyName, policyVersionId: "2" })),
      iot.DeleteConflictException,
    );
    await client.send(new iot.SetDefaultPolicyVersionCommand({ policyName, policyVersionId: "1" }));
    await client.send(new iot.DeletePolicyVersionCommand({ policyName, policyVersionId: "2" }));
    for (let i = 3; i <= 6; i++) {
      assert.is((await version("iot:Publish", false)).policyVersionId, String(i));
    }
    await refused(version("iot:Publish", false), iot.VersionsLimitExceededException);
    const { policyVersions } = await client.send(new iot.ListPolicyVersionsCommand({ policyName }));
    assert.equal(
      policyVersions?.map((each) => `${each.versionId}${each.isDefaultVersion ? "*" : ""}`),
      ["1*", "3", "4", "5", "6"],
    );
    const third = await client.send(new iot.GetPolicyVersionCommand({ policyName, policyVersionId: "3" }));
    assert.is(third.policyDocument, policy("iot:Publish"));
    await refused(
      client.send(new iot.GetPolicyVersionCommand({ policyName, policyVersionId: "2" })),
      iot.ResourceNotFoundException,
    );
  }));

test("a policy document that is not JSON, or over 2048 characters without white space, is refused", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    const create = (policyName: string, policyDocument: string) =>
      client.send(new iot.CreatePolicyCommand({ policyName, policyDocument }));
    await refused(create("p", "./policy.json"), iot.MalformedPolicyException);
    const filled = (length: number) =>
      JSON.stringify({ Version: "x".repeat(length - '{"Version":""}'.length) });
    await refused(create("p", filled(2049)), iot.InvalidRequestException);
    await create("p", filled(2048).replace("{", `{${" ".repeat(500)}\n`));
  }));

test("a certificate takes ten policies", () =>
  withSandbox(async ({ sandbox }) => {
    // The SDK takes this error for throttling and would try again for a while.
    const client = new iot.IoTClient({
      region: REGION,
      endpoint: sandbox.endpoint,
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      maxAttempts: 1,
    });
    const { certificateArn: target } = await client.send(new iot.CreateKeysAndCertificateCommand({}));
    for (let i = 1; i <= 11; i++) {
      await client.send(
        new iot.CreatePolicyCommand({ policyName: `p${i}`, policyDocument: policy("iot:Connect") }),
      );
      const attached = client.send(new iot.AttachPolicyCommand({ policyName: `p${i}`, target }));
      if (i <= 10) {
        await attached;
      } else {
        await refused(attached, iot.LimitExceededException);
      }
    }
    client.destroy();
  }));

test("a thing joins a group by name or ARN, leaves it, and its deletion leaves no member behind", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    await client.send(new iot.CreateThingCommand({ thingName: "t" }));
    const { thingGroupArn } = await client.send(
      new iot.CreateThingGroupCommand({
        thingGroupName: "g",
        thingGroupProperties: { thingGroupDescription: "first" },
        tags: [{ Key: "k", Value: "v" }],
      }),
    );
    await client.send(
      new iot.CreateThingGroupCommand({
        thingGroupName: "g",
        thingGroupProperties: { thingGroupDescription: "first" },
      }),
    );
    await refused(
      client.send(new iot.CreateThingGroupCommand({ thingGroupName: "g" })),
      iot.ResourceAlreadyExistsException,
    );
    await client.send(new iot.AddThingToThingGroupCommand({ thingName: "t", thingGroupArn }));
    assert.equal(
      (await client.send(new iot.ListThingGroupsForThingCommand({ thingName: "t" }))).thingGroups,
      [{ groupName: "g", groupArn: thingGroupArn }],
    );
    await client.send(new iot.RemoveThingFromThingGroupCommand({ thingName: "t", thingGroupName: "g" }));
    assert.equal(
      (await client.send(new iot.ListThingsInThingGroupCommand({ thingGroupName: "g" }))).things,
      [],
    );
    await client.send(new iot.AddThingToThingGroupCommand({ thingName: "t", thingGroupName: "g" }));
    await client.send(new iot.DeleteThingCommand({ thingName: "t" }));
    assert.equal(
      (await client.send(new iot.ListThingsInThingGroupCommand({ thingGroupName: "g" }))).things,
      [],
    );
    const update = await client.send(
      new iot.UpdateThingGroupCommand({
        thingGroupName: "g",
        thingGroupProperties: { thingGroupDescription: "second" },
      }),
    );
    assert.is(update.version, 2);
    const described = await client.send(new iot.DescribeThingGroupCommand({ thingGroupName: "g" }));
    assert.is(described.thingGroupProperties?.thingGroupDescription, "second");
    assert.instance(described.thingGroupMetadata?.creationDate, Date);
    assert.is(
      (await client.send(new iot.ListThingGroupsCommand({ namePrefixFilter: "x" }))).thingGroups?.length,
      0,
    );
    await client.send(new iot.DeleteThingGroupCommand({ thingGroupName: "g" }));
    await refused(
      client.send(new iot.DescribeThingGroupCommand({ thingGroupName: "g" })),
      iot.ResourceNotFoundException,
    );
  }));

test("a role alias is made, changed, listed and deleted", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    const roleArn = "arn:aws:iam::000000000000:role/r";
    const { roleAliasArn } = await client.send(new iot.CreateRoleAliasCommand({ roleAlias: "a", roleArn }));
    assert.is(roleAliasArn, "arn:aws:iot:eu-west-1:000000000000:rolealias/a");
    await refused(
      client.send(new iot.CreateRoleAliasCommand({ roleAlias: "a", roleArn })),
      iot.ResourceAlreadyExistsException,
    );
    const tooShort = client.send(
      new iot.UpdateRoleAliasCommand({ roleAlias: "a", credentialDurationSeconds: 899 }),
    );
    await refused(tooShort, iot.InvalidRequestException);
    await client.send(new iot.UpdateRoleAliasCommand({ roleAlias: "a", credentialDurationSeconds: 900 }));
    const { roleAliasDescription } = await client.send(new iot.DescribeRoleAliasCommand({ roleAlias: "a" }));
    assert.is(roleAliasDescription?.credentialDurationSeconds, 900);
    assert.is(roleAliasDescription?.roleArn, roleArn);
    assert.equal((await client.send(new iot.ListRoleAliasesCommand({}))).roleAliases, ["a"]);
    await client.send(new iot.DeleteRoleAliasCommand({ roleAlias: "a" }));
    await refused(
      client.send(new iot.DeleteRoleAliasCommand({ roleAlias: "a" })),
      iot.ResourceNotFoundException,
    );
  }));

test("groups, policies and aliases carry tags, things do not", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    const { policyArn: resourceArn } = await client.send(
      new iot.CreatePolicyCommand({
        policyName: "p",
        policyDocument: policy("iot:Connect"),
        tags: [{ Key: "a", Value: "1" }],
      }),
    );
    await client.send(
      new iot.TagResourceCommand({
        resourceArn,
        tags: [
          { Key: "a", Value: "2" },
          { Key: "dospesos:instance", Value: "x" },
        ],
      }),
    );
    await client.send(new iot.UntagResourceCommand({ resourceArn, tagKeys: ["a"] }));
    assert.equal((await client.send(new iot.ListTagsForResourceCommand({ resourceArn }))).tags, [
      { Key: "dospesos:instance", Value: "x" },
    ]);
    const gone = client.send(
      new iot.ListTagsForResourceCommand({ resourceArn: resourceArn?.replace("/p", "/q") }),
    );
    await refused(gone, iot.ResourceNotFoundException);
    const { thingArn } = await client.send(new iot.CreateThingCommand({ thingName: "t" }));
    await refused(
      client.send(new iot.ListTagsForResourceCommand({ resourceArn: thingArn })),
      iot.InvalidRequestException,
    );
  }));

test("an account's endpoints are the same after a restart, and those of a region name it", () =>
  withSandbox(async ({ access, file }) => {
    const endpoint = async (client: iot.IoTClient, endpointType: string) =>
      (await client.send(new iot.DescribeEndpointCommand({ endpointType }))).endpointAddress ?? "";
    const first = await access.iot();
    const data = await endpoint(first, "iot:Data-ATS");
    const credentials = await endpoint(first, "iot:CredentialProvider");
    assert.match(data, /^[a-z0-9]{14}-ats\.iot\.eu-west-1\.amazonaws\.com$/);
    assert.match(credentials, /^[a-z0-9]{14}\.credentials\.iot\.eu-west-1\.amazonaws\.com$/);
    await withSandbox(async (again) => {
      const second = await again.access.iot();
      assert.is(await endpoint(second, "iot:Data-ATS"), data);
      assert.is(await endpoint(second, "iot:CredentialProvider"), credentials);
    }, file);
  }));

test.run();

// Fleet provisioning by claim, as a device does it: it never subscribes, and is answered all the same.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as iot from "@aws-sdk/client-iot";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createCsr, createKey } from "../../lib/pki/keypair.ts";
import {
  allow,
  asked,
  connectedAs,
  dataPlaneRig,
  identityWith,
  type DataPlaneRig,
  type Identity,
} from "./wire.ts";

const test = suite("fleet provisioning by claim");

let rig: DataPlaneRig;
let claim: Identity;
const CSR = "$aws/certificates/create-from-csr/json";
const PROVISION = "$aws/provisioning-templates/fleet/provision/json";

test.before(async () => {
  rig = await dataPlaneRig();
  const client = await rig.access.iot();
  const base = "arn:aws:iot:eu-west-1:000000000000:";
  const topics = ["$aws/certificates/create*", "$aws/provisioning-templates/fleet/provision/*"];
  claim = await identityWith(rig, "claim", [
    allow("iot:Connect"),
    allow(
      ["iot:Publish", "iot:Receive"],
      topics.map((topic) => `${base}topic/${topic}`),
    ),
  ]);
  await client.send(new iot.CreateThingGroupCommand({ thingGroupName: "fleet" }));
  await client.send(
    new iot.CreatePolicyCommand({
      policyName: "fleet-device",
      policyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [allow("iot:*")] }),
    }),
  );
  await client.send(
    new iot.CreateProvisioningTemplateCommand({
      templateName: "fleet",
      enabled: true,
      provisioningRoleArn: "arn:aws:iam::000000000000:role/fleet",
      preProvisioningHook: { targetArn: "arn:aws:lambda:eu-west-1:000000000000:function:known-devices" },
      templateBody: JSON.stringify({
        Parameters: { SerialNumber: { Type: "String" }, "AWS::IoT::Certificate::Id": { Type: "String" } },
        Resources: {
          thing: {
            Type: "AWS::IoT::Thing",
            Properties: {
              ThingName: { "Fn::Join": ["", ["gg_", { Ref: "SerialNumber" }]] },
              ThingGroups: ["fleet"],
              AttributePayload: { serial: { Ref: "SerialNumber" } },
            },
          },
          certificate: {
            Type: "AWS::IoT::Certificate",
            Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "Active" },
          },
          policy: { Type: "AWS::IoT::Policy", Properties: { PolicyName: "fleet-device" } },
        },
      }),
    }),
  );
  mkdirSync(join(rig.home, "hooks"));
  writeFileSync(join(rig.home, "hooks/known-devices.txt"), "A1B2C3\nD4\n");
});
test.after(() => rig.close());

for (const [version, serial] of [
  [5, "A1B2C3"],
  [4, "D4"],
] as const) {
  test(`MQTT ${version === 5 ? "5" : "3.1.1"}: certificate for a key of the device, thing, group and policy; then it is that thing`, async () => {
    const device = await connectedAs(rig, claim, `claim-${serial}`, version);
    const key = createKey();
    const made = await asked(device, CSR, { certificateSigningRequest: await createCsr(key, "device") });
    assert.is(made.topic, `${CSR}/accepted`);
    const { certificatePem, certificateOwnershipToken } = made.document as Record<string, string>;
    const before = await connectedAs(rig, { key, cert: certificatePem! }, `gg_${serial}`, version).then(
      () => "let in",
      () => "refused",
    );
    assert.is(before, "refused", "until it is provisioned the certificate is of no use");
    const provisioned = await asked(device, PROVISION, {
      certificateOwnershipToken,
      parameters: { SerialNumber: serial },
    });
    assert.equal(provisioned, {
      topic: `${PROVISION}/accepted`,
      document: { deviceConfiguration: {}, thingName: `gg_${serial}` },
    });
    const again = await asked(device, PROVISION, {
      certificateOwnershipToken,
      parameters: { SerialNumber: serial },
    });
    assert.is(again.document["errorCode"], "InvalidCertificateOwnershipToken", "a token is good once");
    await device.endAsync();
    const thing = await connectedAs(rig, { key, cert: certificatePem! }, `gg_${serial}`, version);
    await thing.endAsync();
    const client = await rig.access.iot();
    const { things } = await client.send(new iot.ListThingsInThingGroupCommand({ thingGroupName: "fleet" }));
    assert.ok(things?.includes(`gg_${serial}`));
    const { attributes } = await client.send(new iot.DescribeThingCommand({ thingName: `gg_${serial}` }));
    assert.equal(attributes, { serial });
  });
}

test("what is not right is rejected with AWS's codes, and told: CSR, token, parameters, a device that the hook does not know", async () => {
  const device = await connectedAs(rig, claim, "claim-bad");
  const code = async (topic: string, document: object | string): Promise<unknown> => {
    const { topic: where, document: said } = await asked(device, topic, document);
    assert.is(where, `${topic}/rejected`);
    assert.is(said["statusCode"], 400);
    return said["errorCode"];
  };
  assert.is(await code(CSR, { certificateSigningRequest: "none" }), "InvalidCertificateSigningRequest");
  assert.is(await code(PROVISION, "no JSON"), "InvalidParameters");
  assert.is(
    await code(PROVISION, { certificateOwnershipToken: "x", parameters: {} }),
    "InvalidCertificateOwnershipToken",
  );
  const token = async (): Promise<unknown> =>
    (await asked(device, "$aws/certificates/create/json", {})).document["certificateOwnershipToken"];
  assert.is(
    await code(PROVISION, { certificateOwnershipToken: await token(), parameters: { SerialNumber: "EVIL" } }),
    "AccessDenied",
  );
  await rig.tells(
    /AccessDenied: none of the parameters is on the list of the pre-provisioning hook known-devices/,
  );
  assert.is(
    await code(PROVISION, { certificateOwnershipToken: await token(), parameters: { Other: "D4" } }),
    "InvalidParameters",
  );
  await device.endAsync();
  const told = rig.told.join("\n");
  assert.match(told, /claim-bad <- \$aws\/certificates\/create\/json\/accepted .*"privateKey":"…"/);
  assert.not.match(told, /BEGIN [A-Z ]*PRIVATE KEY|"certificateOwnershipToken":"[^…x]/);
});

test("a claim is good for provisioning alone", async () => {
  const device = await connectedAs(rig, claim, "claim-nosy");
  const closed = new Promise<void>((resolve) => device.once("close", () => resolve()));
  device.publish("$aws/things/gg_D4/shadow/get", "{}", { qos: 0 });
  await closed;
});

test("a template is described as it was made, and one that cannot be carried out is refused", async () => {
  const client = await rig.access.iot();
  const found = await client.send(new iot.DescribeProvisioningTemplateCommand({ templateName: "fleet" }));
  assert.is(found.enabled, true);
  assert.match(found.preProvisioningHook?.targetArn ?? "", /known-devices$/);
  const { templates = [] } = await client.send(new iot.ListProvisioningTemplatesCommand({}));
  assert.equal(
    templates.map(({ templateName }) => templateName),
    ["fleet"],
  );
  const bad = client.send(
    new iot.CreateProvisioningTemplateCommand({
      templateName: "bad",
      provisioningRoleArn: "arn:aws:iam::000000000000:role/fleet",
      templateBody: JSON.stringify({ Resources: { x: { Type: "AWS::S3::Bucket" } } }),
    }),
  );
  await bad.then(
    () => assert.unreachable(),
    (error: unknown) =>
      assert.match((error as Error).message, /AWS::S3::Bucket, which the sandbox does not know/),
  );
  const { keyPair } = await client.send(new iot.CreateProvisioningClaimCommand({ templateName: "fleet" }));
  assert.match(keyPair?.PrivateKey ?? "", /PRIVATE KEY/);
});

test.run();

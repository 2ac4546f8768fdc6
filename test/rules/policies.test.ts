import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  corePolicy,
  devicePolicy,
  thingPolicy,
  tokenExchangePolicy,
  type PolicyDocument,
} from "../../rules/policies.ts";

const ACCOUNT = "123456789012";
const SCOPE = { region: "eu-west-1", account: ACCOUNT };
const ALIAS = "lab-token-exchange";
const IOT = `arn:aws:iot:eu-west-1:${ACCOUNT}:`;

/** Where Greengrass V2 is offered (AWS General Reference, "AWS IoT Greengrass V2 endpoints and quotas"). */
const REGIONS = [
  "us-east-1",
  "us-east-2",
  "us-west-2",
  "ca-central-1",
  "eu-central-1",
  "eu-west-1",
  "eu-west-2",
  "ap-south-1",
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-southeast-1",
  "ap-southeast-2",
  "cn-north-1",
  "us-gov-east-1",
  "us-gov-west-1",
];

type Request = readonly [action: string, resource: string];

/**
 * AWS's rule: allowed where a statement has a matching action and resource; `*` and `?` are the only
 * wildcards.
 */
function allows(documents: readonly PolicyDocument[], [action, resource]: Request): boolean {
  const matches = (patterns: string | readonly string[], value: string): boolean =>
    [patterns].flat().some((pattern) => {
      const escaped = pattern
        .replace(/[\\^$.+()|[\]{}]/g, "\\$&")
        .replace(/\*/g, ".*")
        .replace(/\?/g, ".");
      return new RegExp(`^${escaped}$`, "s").test(value);
    });
  return documents
    .flatMap((document) => document.Statement)
    .some((statement) => matches(statement.Action, action) && matches(statement.Resource, resource));
}

/** Everything that a core of that name asks of AWS on its own behalf. */
function requestsOf(name: string): Request[] {
  const things = `$aws/things/${name}`;
  const job = `${things}/jobs/0123-abcd/namespace-aws-gg-deployment/update`;
  const next = `${things}/jobs/$next/namespace-aws-gg-deployment/get`;
  const shadow = `${things}/shadow/name/AWSManagedGreengrassV2Deployment`;
  const received = [
    `${things}/jobs/notify-namespace-aws-gg-deployment`,
    `${job}/accepted`,
    `${next}/accepted`,
    `${shadow}/get/accepted`,
    `${shadow}/update/delta`,
    `${things}-gci/shadow/get/accepted`,
    `${things}-gci/shadow/update/delta`,
  ];
  const published = [
    `${things}/greengrass/health/json`,
    `${things}/greengrassv2/health/json`,
    job,
    next,
    `${shadow}/get`,
    `${shadow}/update`,
    `${things}-gci/shadow/get`,
    // What client-device-auth reports after each change of the connectivity (D3).
    `${things}-gci/shadow/update`,
  ];
  return [
    ...[name, `${name}#2`, `${name}#endpoint-switch`].map((client): Request => [
      "iot:Connect",
      `${IOT}client/${client}`,
    ]),
    ...published.map((topic): Request => ["iot:Publish", `${IOT}topic/${topic}`]),
    ...received.map((topic): Request => ["iot:Receive", `${IOT}topic/${topic}`]),
    ...received.map((topic): Request => ["iot:Subscribe", `${IOT}topicfilter/${topic}`]),
    ["greengrass:GetConnectivityInfo", `${IOT}thing/${name}`],
    ["greengrass:UpdateConnectivityInfo", `${IOT}thing/${name}`],
  ];
}

const core1 = [corePolicy({ ...SCOPE, alias: ALIAS }), devicePolicy({ ...SCOPE, name: "core-1" })];
const thing1 = [thingPolicy({ ...SCOPE, name: "thing-1" })];

test("a core may do all that its nucleus needs under its own name", () => {
  const denied = requestsOf("core-1").filter((request) => !allows(core1, request));
  assert.equal(denied, []);
});

test("a core may do nothing of another core's, however alike the names", () => {
  const others = [
    "core-10",
    "core-1-a",
    "core-1a",
    "core-1_",
    "core-",
    "core",
    "Core-1",
    "xcore-1",
    "core_1",
    "core-2",
  ];
  const requests = others.flatMap(requestsOf);
  assert.ok(requests.length >= 200, `${requests.length} requests`);
  assert.equal(
    requests.filter((request) => allows(core1, request)),
    [],
  );
});

test("a core may not use foreign topics, or subscribe with MQTT wildcards", () => {
  const requests: Request[] = [
    ["iot:Connect", `${IOT}client/*`],
    ["iot:Publish", `${IOT}topic/anything`],
    ["iot:Subscribe", `${IOT}topicfilter/#`],
    ["iot:Subscribe", `${IOT}topicfilter/$aws/things/+/jobs/#`],
    ["iot:UpdateThingShadow", `${IOT}thing/core-1`],
    ["iot:DeleteThing", `${IOT}thing/core-1`],
  ];
  assert.equal(
    requests.filter((request) => allows(core1, request)),
    [],
  );
});

test("a core may take on its instance's role and get its deployments, and no other role", () => {
  assert.ok(allows(core1, ["iot:AssumeRoleWithCertificate", `${IOT}rolealias/${ALIAS}`]));
  assert.not.ok(allows(core1, ["iot:AssumeRoleWithCertificate", `${IOT}rolealias/${ALIAS}-2`]));
  const dataPlane = [
    "GetComponentVersionArtifact",
    "GetDeploymentConfiguration",
    "ListThingGroupsForCoreDevice",
    "PutCertificateAuthorities",
    "ResolveComponentCandidates",
    "VerifyClientDeviceIdentity",
  ];
  for (const action of dataPlane) {
    assert.ok(allows(core1, [`greengrass:${action}`, "arn:aws:greengrass:any"]), action);
  }
  assert.ok(allows(core1, ["greengrass:VerifyClientDeviceIoTCertificateAssociation", `${IOT}thing/thing-1`]));
  assert.not.ok(allows(core1, ["greengrass:CreateDeployment", `${IOT}thing/core-1`]));
  assert.not.ok(allows(core1, ["greengrass:Discover", `${IOT}thing/core-1`]));
});

test("a client thing may discover its own cores, and has neither their role nor any rights in IoT Core", () => {
  assert.ok(allows(thing1, ["greengrass:Discover", `${IOT}thing/thing-1`]));
  const requests: Request[] = [
    ["iot:AssumeRoleWithCertificate", `${IOT}rolealias/${ALIAS}`],
    ["greengrass:Discover", `${IOT}thing/thing-10`],
    ["greengrass:ResolveComponentCandidates", "arn:aws:greengrass:any"],
    ...requestsOf("thing-1"),
  ];
  assert.equal(
    requests.filter((request) => allows(thing1, request)),
    [],
  );
});

test("every IoT policy is within AWS's 2,048 characters for the longest names in every region", () => {
  const name = "n".repeat(64);
  for (const region of REGIONS) {
    const scope = { region, account: ACCOUNT };
    const shared = corePolicy({ ...scope, alias: "a".repeat(128) });
    const documents = [shared, devicePolicy({ ...scope, name }), thingPolicy({ ...scope, name })];
    for (const document of documents) {
      const size = JSON.stringify(document).replace(/\s/g, "").length;
      assert.ok(size <= 2048, `${size} characters in ${region}`);
    }
  }
});

test("the ARNs of a region are in that region's partition", () => {
  const partitions = { "eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov" };
  for (const [region, partition] of Object.entries(partitions)) {
    const scope = { region, account: ACCOUNT };
    const text = JSON.stringify([
      tokenExchangePolicy(scope),
      corePolicy({ ...scope, alias: ALIAS }),
      devicePolicy({ ...scope, name: "c" }),
      thingPolicy({ ...scope, name: "t" }),
    ]);
    const arns = text.match(/arn:[^"]*/g) ?? [];
    assert.is(arns.length, 15);
    for (const arn of arns) {
      assert.match(arn, new RegExp(`^arn:${partition}:(iot|logs):${region}:${ACCOUNT}:`));
    }
  }
});

test("the role of the cores lets each write only its own logs", () => {
  const group = `arn:aws:logs:eu-west-1:${ACCOUNT}:log-group:/aws/greengrass/UserComponent/eu-west-1/com.example.Hello`;
  const assumed = JSON.parse(
    JSON.stringify(tokenExchangePolicy(SCOPE)).replaceAll("${credentials-iot:ThingName}", "core-1"),
  ) as PolicyDocument;
  assert.ok(allows([assumed], ["logs:CreateLogStream", group]));
  assert.ok(allows([assumed], ["logs:PutLogEvents", `${group}:log-stream:/2026/11/22/thing/core-1`]));
  assert.not.ok(allows([assumed], ["logs:PutLogEvents", `${group}:log-stream:/2026/11/22/thing/core-10`]));
  assert.not.ok(
    allows([assumed], ["logs:CreateLogGroup", `arn:aws:logs:eu-west-1:${ACCOUNT}:log-group:/aws/lambda/pay`]),
  );
  assert.not.ok(allows([assumed], ["s3:GetObject", "arn:aws:s3:::any-bucket/any"]));
});

test("a core may ask where the bucket of the project's components is, and read its artifacts, nothing else of it (D2)", () => {
  const role = [tokenExchangePolicy({ ...SCOPE, artifacts: "acme-components" })];
  const bucket = "arn:aws:s3:::acme-components";
  assert.ok(allows(role, ["s3:GetBucketLocation", bucket]));
  assert.ok(allows(role, ["s3:GetObject", `${bucket}/components/com.example.Hello/1.0.0/hello.py`]));
  assert.not.ok(allows(role, ["s3:GetObject", `${bucket}/other`]));
  assert.not.ok(allows(role, ["s3:ListBucket", bucket]));
  assert.not.ok(allows(role, ["s3:GetBucketLocation", "arn:aws:s3:::other"]));
});

test("a name that could match other devices is refused", () => {
  for (const name of ["", "*", "core-?", "core-*", "${iot:ClientId}", "a/b", "a:b", "a b"]) {
    assert.throws(() => devicePolicy({ ...SCOPE, name }), /only letters, digits/);
    assert.throws(() => thingPolicy({ ...SCOPE, name }), /only letters, digits/);
    assert.throws(() => corePolicy({ ...SCOPE, alias: name }), /only letters, digits/);
  }
});

test.run();

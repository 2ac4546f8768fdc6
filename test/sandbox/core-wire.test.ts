// What a core says and hears, document by document: jobs, health, shadows, and Greengrass' data plane over HTTPS.
import { request } from "node:https";
import * as gg from "@aws-sdk/client-greengrassv2";
import * as iot from "@aws-sdk/client-iot";
import type { MqttClient } from "mqtt";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  allow,
  asked,
  connectedAs,
  dataPlaneRig,
  identityWith,
  received,
  type DataPlaneRig,
  type Identity,
  type Received,
} from "./wire.ts";

const test = suite("a core on the wire");

let rig: DataPlaneRig;
let identity: Identity;
let core: MqttClient;
const NS = "namespace-aws-gg-deployment";
const JOBS = "$aws/things/core-1/jobs";
const GROUP = "arn:aws:iot:eu-west-1:000000000000:thinggroup/cores";
const RECIPE = {
  RecipeFormatVersion: "2020-01-25",
  ComponentName: "com.example.Hello",
  Manifests: [{ Platform: { os: "linux", runtime: "*" }, Lifecycle: { run: "echo" } }],
};

test.before(async () => {
  rig = await dataPlaneRig();
  const client = await rig.access.iot();
  identity = await identityWith(rig, "core", [allow(["iot:*", "greengrass:*"])]);
  for (const thingName of ["core-1", "core-2"]) {
    await client.send(new iot.CreateThingCommand({ thingName }));
  }
  await client.send(new iot.AttachThingPrincipalCommand({ thingName: "core-1", principal: identity.arn }));
  await client.send(new iot.CreateThingGroupCommand({ thingGroupName: "cores" }));
  await client.send(new iot.AddThingToThingGroupCommand({ thingGroupName: "cores", thingName: "core-1" }));
  const greengrass = await rig.access.greengrass();
  for (const ComponentVersion of ["1.0.0", "1.2.0", "2.0.0"]) {
    const recipe = Buffer.from(JSON.stringify({ ...RECIPE, ComponentVersion }));
    await greengrass.send(new gg.CreateComponentVersionCommand({ inlineRecipe: recipe }));
  }
  core = await connectedAs(rig, identity, "core-1");
  await report({ messageType: "COMPLETE" });
});
test.after(async () => {
  await core.endAsync(true);
  await rig.close();
});

let sequence = 0;
async function report(change: object): Promise<void> {
  const health = {
    ggcVersion: "2.6.0",
    platform: "linux",
    architecture: "amd64",
    runtime: "aws_nucleus_lite",
    thing: "core-1",
    sequenceNumber: ++sequence,
    timestamp: Date.now(),
    messageType: "PARTIAL",
    overallDeviceStatus: "HEALTHY",
    components: [],
    ...change,
  };
  await core.publishAsync("$aws/things/core-1/greengrassv2/health/json", JSON.stringify(health), { qos: 1 });
}

const component = (componentName: string, status: string, more: object = {}) => ({
  componentName,
  version: "1.0.0",
  status,
  isRoot: true,
  ...more,
});

/** The account saw what was reported last: reports are in order, and so is a job's answer behind them. */
async function installed(): Promise<string[]> {
  await asked(core, `${JOBS}/$next/${NS}/get`, {});
  const greengrass = await rig.access.greengrass();
  const { installedComponents = [] } = await greengrass.send(
    new gg.ListInstalledComponentsCommand({ coreDeviceThingName: "core-1", topologyFilter: "ALL" }),
  );
  return installedComponents
    .map(({ componentName, lifecycleState }) => `${componentName} ${lifecycleState}`)
    .sort();
}

async function deploy(
  targetArn = GROUP,
  components: gg.CreateDeploymentRequest["components"] = {},
): Promise<string> {
  const greengrass = await rig.access.greengrass();
  const made = await greengrass.send(
    new gg.CreateDeploymentCommand({ targetArn, components, deploymentName: "d" }),
  );
  return made.deploymentId!;
}

interface Execution {
  readonly jobId: string;
  readonly status: string;
  readonly queuedAt: number;
  readonly versionNumber: number;
  readonly jobDocument: Readonly<Record<string, unknown>>;
}

async function nextJob(): Promise<Execution> {
  const { document } = await asked(core, `${JOBS}/$next/${NS}/get`, { clientToken: "jobs-nucleus-lite" });
  assert.is(document["clientToken"], "jobs-nucleus-lite");
  assert.ok(Number.isInteger(document["timestamp"]));
  return document["execution"] as Execution;
}

async function effective(id: string): Promise<gg.EffectiveDeployment | undefined> {
  const greengrass = await rig.access.greengrass();
  const { effectiveDeployments = [] } = await greengrass.send(
    new gg.ListEffectiveDeploymentsCommand({ coreDeviceThingName: "core-1" }),
  );
  return effectiveDeployments.find(({ deploymentId }) => deploymentId === id);
}

test("a deployment is a job whose document a nucleus reads: whole seconds, objects, and the group in its ARN", async () => {
  const id = await deploy(GROUP, {
    "com.example.Hello": {
      componentVersion: "1.0.0",
      configurationUpdate: { merge: '{"a":{"b":1}}', reset: ["/c"] },
      runWith: { posixUser: "me" },
    },
  });
  const { jobId, status, queuedAt, versionNumber, jobDocument } = await nextJob();
  assert.is.not(jobId, id);
  assert.equal([status, versionNumber, Number.isInteger(queuedAt)], ["QUEUED", 1, true]);
  const { creationTimestamp, ...rest } = jobDocument;
  assert.ok(Number.isInteger(creationTimestamp));
  assert.equal(rest, {
    deploymentId: id,
    deploymentName: "d",
    configurationArn: "arn:aws:greengrass:eu-west-1:000000000000:configuration:thinggroup/cores:1",
    components: {
      "com.example.Hello": {
        version: "1.0.0",
        configurationUpdate: { merge: { a: { b: 1 } }, reset: ["/c"] },
        runWith: { posixUser: "me" },
      },
    },
    failureHandlingPolicy: "ROLLBACK",
    requiredCapabilities: [],
    componentUpdatePolicy: { timeout: 60, action: "NOTIFY_COMPONENTS" },
    configurationValidationPolicy: { timeout: 60 },
  });
});

test("a job execution has states: versions count, and what is final stays, with AWS's codes (M3)", async () => {
  const id = await deploy();
  const { jobId } = await nextJob();
  const update = (document: object): Promise<Received> =>
    asked(core, `${JOBS}/${jobId}/${NS}/update`, document);
  const begun = await update({ status: "IN_PROGRESS", clientToken: "t", includeJobExecutionState: true });
  assert.is(begun.topic, `${JOBS}/${jobId}/${NS}/update/accepted`);
  assert.equal(begun.document["executionState"], {
    status: "IN_PROGRESS",
    versionNumber: 2,
    statusDetails: {},
  });
  assert.is(begun.document["clientToken"], "t");
  const late = await update({ status: "SUCCEEDED", expectedVersion: "1" });
  assert.is(late.document["code"], "VersionMismatch");
  const wrong = await update({ status: "QUEUED" });
  assert.is(wrong.document["code"], "InvalidRequest");
  const stack = ["DEPLOYMENT_FAILURE", "NO_AVAILABLE_COMPONENT_VERSION"];
  await update({
    status: "FAILED",
    statusDetails: {
      "detailed-deployment-status": "FAILED_NO_STATE_CHANGE",
      "deployment-failure-cause": "no version",
      "deployment-error-stack": JSON.stringify(stack),
      "deployment-error-types": JSON.stringify(["REQUEST_ERROR"]),
    },
  });
  const again = await update({ status: "IN_PROGRESS" });
  assert.is(again.document["code"], "TerminalStateReached");
  const found = await effective(id);
  assert.equal(
    [found?.coreDeviceExecutionStatus, found?.reason, found?.statusDetails],
    ["FAILED", "no version", { errorStack: stack, errorTypes: ["REQUEST_ERROR"] }],
  );
  const nothing = await asked(core, `${JOBS}/no-such-job/${NS}/update`, { status: "SUCCEEDED" });
  assert.is(nothing.document["code"], "ResourceNotFound");
  assert.is((await asked(core, `${JOBS}/${jobId}/${NS}/update`, "{")).document["code"], "InvalidJson");
});

test("what a job says nothing of, the health report tells: its errors come from deploymentInformation (M2)", async () => {
  const id = await deploy();
  const { jobId, jobDocument } = await nextJob();
  await asked(core, `${JOBS}/${jobId}/${NS}/update`, { status: "FAILED" });
  await report({
    deploymentInformation: {
      status: "FAILED",
      fleetConfigurationArnForStatus: jobDocument["configurationArn"],
      deploymentId: id,
      statusDetails: {
        detailedStatus: "FAILED_ROLLBACK_COMPLETE",
        failureCause: "it broke",
        errorStack: ["X"],
        errorTypes: ["Y"],
      },
    },
  });
  await installed();
  const found = await effective(id);
  assert.equal([found?.reason, found?.statusDetails], ["it broke", { errorStack: ["X"], errorTypes: ["Y"] }]);
});

test("an answer is for who asked, subscribed or not, and for nobody else (M4)", async () => {
  const other = await connectedAs(rig, identity, "listener");
  const heard: string[] = [];
  await other.subscribeAsync(["$aws/things/core-1/jobs/#", "mark"], { qos: 1 });
  other.on("message", (topic: string) => heard.push(topic));
  await asked(core, `${JOBS}/$next/${NS}/get`, {});
  const marked = received(other);
  await core.publishAsync("mark", "{}", { qos: 1 });
  await marked;
  assert.equal(
    heard.filter((topic) => topic.endsWith("/accepted")),
    [],
  );
  await other.endAsync();
});

test("a core hears of a job that comes, of one that goes, and a newer deployment cancels what nobody began", async () => {
  await core.subscribeAsync([`${JOBS}/notify-${NS}`, `${JOBS}/notify-next-${NS}`], { qos: 1 });
  const heard: Received[] = [];
  const enough = new Promise<void>((resolve) => {
    core.on("message", (topic: string, payload: Buffer) => {
      heard.push({ topic, document: JSON.parse(payload.toString()) as Received["document"] });
      if (heard.length === 4) {
        resolve();
      }
    });
  });
  const first = await deploy();
  const second = await deploy();
  await enough;
  core.removeAllListeners("message");
  const [lists, nexts] = ["notify-", "notify-next-"].map((prefix) =>
    heard.filter(({ topic }) => topic === `${JOBS}/${prefix}${NS}`).map(({ document }) => document),
  );
  assert.is(lists!.length, 2);
  assert.is((lists![1]!["jobs"] as { QUEUED: object[] }).QUEUED.length, 1);
  const ids = nexts!.map(({ execution }) => (execution as Execution).jobDocument["deploymentId"]);
  assert.equal(ids, [first, second]);
  assert.is((await effective(first))?.coreDeviceExecutionStatus, "CANCELED");
  await core.unsubscribeAsync([`${JOBS}/notify-${NS}`, `${JOBS}/notify-next-${NS}`]);
});

test("a PARTIAL report changes what it names, UNINSTALLED takes away, an older one changes nothing, chunks are one (M1)", async () => {
  await report({
    messageType: "COMPLETE",
    components: [
      component("A", "RUNNING"),
      component("B", "BROKEN", {
        componentStatusDetails: { statusCodes: ["RUN_ERROR"], statusReason: "exit 7" },
      }),
    ],
  });
  await report({ components: [component("A", "FINISHED")], overallDeviceStatus: "UNHEALTHY" });
  assert.equal(await installed(), ["A FINISHED", "B BROKEN"]);
  await report({ components: [component("A", "UNINSTALLED", { version: "" })] });
  assert.equal(await installed(), ["B BROKEN"]);
  await report({ sequenceNumber: 1, timestamp: 1, messageType: "COMPLETE", components: [] });
  assert.equal(await installed(), ["B BROKEN"]);
  const sequenceNumber = ++sequence;
  const chunk = (chunkId: number, name: string): Promise<void> =>
    report({
      sequenceNumber,
      messageType: "COMPLETE",
      components: [component(name, "RUNNING")],
      chunkInfo: { chunkId, totalChunks: 2 },
    });
  await chunk(1, "C");
  assert.equal(await installed(), ["B BROKEN"]);
  await chunk(2, "D");
  assert.equal(await installed(), ["C RUNNING", "D RUNNING"]);
  const greengrass = await rig.access.greengrass();
  const found = await greengrass.send(new gg.GetCoreDeviceCommand({ coreDeviceThingName: "core-1" }));
  assert.is(found.runtime, "aws_nucleus_lite");
});

test("a deployment to a single thing comes by its shadow, and its outcome goes back that way", async () => {
  const shadow = "$aws/things/core-1/shadow/name/AWSManagedGreengrassV2Deployment";
  await core.subscribeAsync([`${shadow}/update/accepted`, `${shadow}/get/accepted`], { qos: 1 });
  const told = received(core);
  const id = await deploy("arn:aws:iot:eu-west-1:000000000000:thing/core-1");
  const { state } = (await told).document as {
    state: { desired: { fleetConfig: string; desiredStatus: string } };
  };
  assert.is(state.desired.desiredStatus, "IN_PROGRESS");
  const { configurationArn, deploymentId } = JSON.parse(state.desired.fleetConfig) as Record<string, string>;
  assert.is(deploymentId, id);
  const later = await asked(core, `${shadow}/get`, {});
  assert.equal((later.document["state"] as typeof state).desired, state.desired);
  await asked(core, `${shadow}/update`, {
    state: {
      reported: {
        fleetConfigurationArnForStatus: configurationArn,
        status: "SUCCEEDED",
        ggcVersion: "2.16.0",
      },
    },
  });
  assert.is((await effective(id))?.coreDeviceExecutionStatus, "SUCCEEDED");
  await core.unsubscribeAsync([`${shadow}/update/accepted`, `${shadow}/get/accepted`]);
});

test("a thing's shadow keeps, merges, compares and refuses as AWS's does", async () => {
  const shadow = "$aws/things/core-1/shadow";
  await core.subscribeAsync(
    ["accepted", "rejected", "delta"].map((end) => `${shadow}/update/${end}`),
    { qos: 1 },
  );
  await core.subscribeAsync([`${shadow}/get/rejected`, `${shadow}/get/accepted`], { qos: 1 });
  assert.is((await asked(core, `${shadow}/get`, "")).document["code"], 404);
  const heard: Received[] = [];
  const both = new Promise<void>((resolve) => {
    core.on("message", (topic: string, payload: Buffer) => {
      heard.push({ topic, document: JSON.parse(payload.toString()) as Received["document"] });
      if (heard.length === 2) {
        resolve();
      }
    });
  });
  const update = {
    state: { desired: { on: true, color: { r: 1 } }, reported: { on: false } },
    clientToken: "t",
  };
  await core.publishAsync(`${shadow}/update`, JSON.stringify(update), { qos: 1 });
  await both;
  core.removeAllListeners("message");
  assert.equal(heard.map(({ topic }) => topic.split("/").at(-1)).sort(), ["accepted", "delta"]);
  const delta = heard.find(({ topic }) => topic.endsWith("delta"))!;
  assert.equal(delta.document["state"], { on: true, color: { r: 1 } });
  const conflict = await asked(core, `${shadow}/update`, { state: { reported: { on: true } }, version: 7 });
  assert.is(conflict.document["code"], 409);
  const found = await asked(core, `${shadow}/get`, {});
  assert.equal(found.document["state"], {
    desired: { on: true, color: { r: 1 } },
    reported: { on: false },
    delta: { on: true, color: { r: 1 } },
  });
});

interface Answer {
  readonly status: number | undefined;
  readonly body: Record<string, unknown>;
}

function https(method: string, path: string, body?: object, headers = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = rig.plane.record.discovery;
    const { key, cert } = identity;
    const sent = request(
      { host: "127.0.0.1", port, method, path, key, cert, ca: rig.ca, agent: false, headers },
      (response) => {
        let text = "";
        response
          .on("data", (piece: Buffer) => (text += piece.toString()))
          .on("end", () =>
            resolve({ status: response.statusCode, body: JSON.parse(text) as Record<string, unknown> }),
          );
      },
    );
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const resolve = (
  requirements: Record<string, string>,
  name = "com.example.Hello",
  attributes = {},
): Promise<Answer> =>
  https("POST", "/greengrass/v2/resolveComponentCandidates", {
    componentCandidates: [{ componentName: name, versionRequirements: requirements }],
    platform: { name: "linux", attributes: { os: "linux", architecture: "amd64", ...attributes } },
  });

test("HTTPS: a core's groups, and credentials for its role alias", async () => {
  const { body } = await https("GET", "/greengrass/v2/coreDevices/core-1/thingGroups");
  assert.equal(body["thingGroups"], [
    { thingGroupArn: GROUP, thingGroupName: "cores", rootToParentThingGroups: [] },
  ]);
  const client = await rig.access.iot();
  const none = await https("GET", "/role-aliases/exchange/credentials", undefined, {
    "x-amzn-iot-thingname": "core-1",
  });
  assert.is(none.status, 404);
  await client.send(
    new iot.CreateRoleAliasCommand({ roleAlias: "exchange", roleArn: "arn:aws:iam::000000000000:role/x" }),
  );
  const given = await https("GET", "/role-aliases/exchange/credentials");
  const { accessKeyId, expiration } = given.body["credentials"] as Record<string, string>;
  assert.match(accessKeyId!, /^ASIA/);
  assert.match(expiration!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test("HTTPS: a component is resolved to the newest version that meets every range, with a recipe that is whole", async () => {
  const { body } = await resolve({ one: ">=1.0.0 <2.0.0", other: "^1.1.0" });
  const [{ componentVersion, recipe, vendorGuidance }] = body["resolvedComponentVersions"] as [
    Record<string, string>,
  ];
  assert.equal([componentVersion, vendorGuidance], ["1.2.0", "ACTIVE"]);
  const whole = JSON.parse(Buffer.from(recipe!, "base64").toString()) as {
    Manifests: [{ Artifacts: unknown }];
  };
  assert.equal(whole.Manifests[0].Artifacts, []);
  const { status, body: none } = await resolve({ one: ">=3.0.0" });
  assert.is(status, 404);
  assert.match(String(none["message"]), /no usable version of com\.example\.Hello meets >=3\.0\.0/);
  const lite = await resolve({ requirements: "2.6.0" }, "aws.greengrass.NucleusLite", {
    runtime: "aws_nucleus_lite",
  });
  assert.is(lite.status, 200);
  const classic = await resolve({ requirements: "2.6.0" }, "aws.greengrass.NucleusLite");
  assert.match(String(classic.body["message"]), /does not claim platform/);
});

test("HTTPS: what nobody publishes is answered 501 by name, and a core without the right 403", async () => {
  const private501 = await https("GET", "/greengrass/v2/some/private/path");
  assert.equal(
    [private501.status, private501.body["message"]],
    [501, "The sandbox does not know GET /greengrass/v2/some/private/path"],
  );
  const client = await rig.access.iot();
  const before = identity;
  identity = await identityWith(rig, "poor", [allow("iot:Connect")]);
  assert.is((await resolve({})).status, 403);
  assert.is((await https("GET", "/greengrass/v2/coreDevices/core-1/thingGroups")).status, 403);
  await client.send(new iot.UpdateCertificateCommand({ certificateId: identity.id, newStatus: "INACTIVE" }));
  assert.is((await resolve({})).status, 403);
  await rig.tells(/poor .* asks POST .*: certificate [0-9a-f]{8}… is INACTIVE/);
  identity = before;
});

test.run();

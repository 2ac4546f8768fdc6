import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { request } from "node:http";
import { connect } from "node:net";
import { ResolveComponentCandidatesCommand } from "@aws-sdk/client-greengrassv2";
import { CreateUserCommand } from "@aws-sdk/client-iam";
import {
  CreateThingCommand,
  CreateTopicRuleCommand,
  DescribeEndpointCommand,
  DescribeThingCommand,
} from "@aws-sdk/client-iot";
import { GetSessionTokenCommand } from "@aws-sdk/client-sts";
import { execa } from "execa";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { greengrassOperations } from "../../lib/sandbox/greengrass/index.ts";
import { iotOperations } from "../../lib/sandbox/iot/index.ts";
import { awsAccess } from "../../lib/aws/clients.ts";
import { testWith } from "../support/tools.ts";
import { failure, REGION, withSandbox } from "./rig.ts";

function notImplemented(error: Error, what: RegExp): void {
  assert.is(error.name, "NotImplemented");
  assert.match(error.message, what);
  assert.is((error as Error & { $metadata: { httpStatusCode: number } }).$metadata.httpStatusCode, 501);
}

test("an operation that the sandbox does not know is a 501 that names it, in each protocol", () =>
  withSandbox(async ({ access }) => {
    const rule = new CreateTopicRuleCommand({
      ruleName: "r",
      topicRulePayload: { sql: "SELECT 1", actions: [] },
    });
    notImplemented(await failure((await access.iot()).send(rule)), /iot POST \/rules\/r/);
    const candidates = new ResolveComponentCandidatesCommand({});
    notImplemented(
      await failure((await access.greengrass()).send(candidates)),
      /greengrass POST \/greengrass\/v2\/resolveComponentCandidates/,
    );
    notImplemented(
      await failure((await access.iam()).send(new CreateUserCommand({ UserName: "u" }))),
      /iam CreateUser/,
    );
    notImplemented(
      await failure((await access.sts()).send(new GetSessionTokenCommand({}))),
      /sts GetSessionToken/,
    );
  }));

test("a member or value that the sandbox does not know is refused, not ignored", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iot();
    notImplemented(
      await failure(client.send(new CreateThingCommand({ thingName: "t", billingGroupName: "b" }))),
      /CreateThing with billingGroupName/,
    );
    assert.is(
      (await failure(client.send(new DescribeThingCommand({ thingName: "t" })))).name,
      "ResourceNotFoundException",
    );
    notImplemented(
      await failure(client.send(new DescribeEndpointCommand({ endpointType: "iot:Jobs" }))),
      /iot:Jobs/,
    );
  }));

test("a service that the sandbox does not know is named", () =>
  withSandbox(async ({ sandbox }) => {
    const authorization =
      "AWS4-HMAC-SHA256 Credential=A/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    const response = await fetch(`${sandbox.endpoint}/bucket`, { headers: { authorization } });
    assert.is(response.status, 501);
    assert.match(await response.text(), /s3 GET \/bucket/);
  }));

test("a caller that signs nothing is understood by its path", () =>
  withSandbox(async ({ sandbox }) => {
    const status = async (path: string, init?: RequestInit) =>
      (await fetch(`${sandbox.endpoint}${path}`, init)).status;
    assert.is(await status("/things"), 200);
    assert.is(await status("/greengrass/v2/coreDevices"), 200);
    const form = (Action: string) => ({
      method: "POST",
      body: new URLSearchParams({ Action, Version: "x" }),
    });
    assert.is(await status("/", form("GetCallerIdentity")), 200);
    assert.is(await status("/", form("ListRoles")), 200);
  }));

test("hostile requests are answered with errors, and the sandbox goes on", () =>
  withSandbox(async ({ sandbox, access }) => {
    const status = async (path: string, body?: string) =>
      (await fetch(`${sandbox.endpoint}${path}`, body === undefined ? {} : { method: "POST", body })).status;
    assert.is(await status("/things/%ff"), 400);
    assert.is(await status("/things/t", "{"), 400);
    assert.is(await status("/things/t", "[]"), 400);
    assert.is(await status("/things?maxResults=x"), 400);
    assert.is(await status("/things?nextToken=x"), 400);
    assert.is(await status("/things/t", "x".repeat(1024 * 1024 + 1)), 413);
    assert.is(
      await status("/", "Action=CreateRole&RoleName.member.1=a&RoleName=b&Tags.member.1.Key.__proto__=c"),
      400,
    );
    await (await access.iot()).send(new CreateThingCommand({ thingName: "t" }));
  }));

test("each region has resources of its own under its own names", () =>
  withSandbox(async ({ sandbox, access }) => {
    await (await access.iot()).send(new CreateThingCommand({ thingName: "t" }));
    const china = awsAccess({ region: "cn-north-1", endpoint: sandbox.endpoint });
    const client = await china.iot();
    assert.is(
      (await failure(client.send(new DescribeThingCommand({ thingName: "t" })))).name,
      "ResourceNotFoundException",
    );
    const { thingArn } = await client.send(new CreateThingCommand({ thingName: "t" }));
    assert.is(thingArn, "arn:aws-cn:iot:cn-north-1:000000000000:thing/t");
    china.close();
  }));

test("closing ends idle connections at once", () =>
  withSandbox(async ({ sandbox }) => {
    const { port } = new URL(sandbox.endpoint);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write("GET /things HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise((resolve) => socket.once("data", resolve));
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    const start = performance.now();
    await sandbox.close();
    await ended;
    assert.ok(performance.now() - start < 2000, "the keep-alive time of 5 s was waited for");
  }));

testWith(test, ["aws"], "the aws CLI works with the sandbox", () =>
  withSandbox(async ({ sandbox }) => {
    const aws = async (...args: string[]): Promise<unknown> => {
      const { stdout } = await execa(
        "aws",
        ["--endpoint-url", sandbox.endpoint, "--region", REGION, "--output", "json", ...args],
        {
          env: {
            AWS_ACCESS_KEY_ID: "a",
            AWS_SECRET_ACCESS_KEY: "b",
            AWS_EC2_METADATA_DISABLED: "true",
            AWS_CONFIG_FILE: "/dev/null",
          },
        },
      );
      return stdout === "" ? undefined : JSON.parse(stdout);
    };
    const [identity, policy, role, devices] = await Promise.all([
      aws("sts", "get-caller-identity"),
      aws("iot", "create-policy", "--policy-name", "p", "--policy-document", "{}", "--tags", "Key=k,Value=v"),
      aws(
        "iam",
        "create-role",
        "--role-name",
        "r",
        "--assume-role-policy-document",
        "{}",
        "--tags",
        "Key=k,Value=v",
      ),
      aws("greengrassv2", "list-core-devices"),
    ]);
    assert.is((identity as { Account: string }).Account, "000000000000");
    assert.is((policy as { policyVersionId: string }).policyVersionId, "1");
    assert.equal((role as { Role: { Tags: unknown } }).Role.Tags, [{ Key: "k", Value: "v" }]);
    assert.equal(devices, { coreDevices: [] });
    assert.match(
      (await failure(aws("iot", "describe-thing", "--thing-name", "t"))).message,
      /ResourceNotFoundException/,
    );
  }),
);

test("a web page cannot ask: neither by its own name for this machine nor from its own origin (B7)", () =>
  withSandbox(async ({ sandbox }) => {
    const { port } = new URL(sandbox.endpoint);
    const status = (headers: Record<string, string>): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const asked = request({ host: "127.0.0.1", port, path: "/things", headers });
        asked.on("error", reject);
        asked.on("response", (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        asked.end();
      });
    const authorization = `AWS4-HMAC-SHA256 Credential=A/20260101/${REGION}/iot/aws4_request`;
    assert.is(await status({ host: `evil.example:${port}`, authorization }), 403);
    assert.is(await status({ host: `127.0.0.1.evil.example:${port}`, authorization }), 403);
    assert.is(await status({ origin: "https://evil.example", authorization }), 403);
    assert.is.not(await status({ authorization }), 403);
    assert.is.not(await status({ host: `localhost:${port}`, authorization }), 403);
  }));

test("every operation has the method, the path and the status that AWS's own model gives it (D12)", () => {
  for (const [operations, client] of [
    [iotOperations, "client-iot"],
    [greengrassOperations, "client-greengrassv2"],
  ] as const) {
    const model = readFileSync(createRequire(import.meta.url).resolve(`@aws-sdk/${client}`), "utf8");
    const known = new Set(
      Array.from(
        model.matchAll(/\["([A-Z]+)", "(\/[^"?]*)[^"]*", (\d+)\]/g),
        ([, method, path, status]) =>
          `${method} ${path!.replaceAll(/\{[^}]+\}/g, "{}")}${status === "200" ? "" : ` ${status}`}`,
      ),
    );
    assert.ok(known.size > 20, client);
    for (const { name, http = "" } of operations) {
      assert.ok(known.has(http.replaceAll(/\{[^}]+\}/g, "{}")), `${name}: ${http}`);
    }
  }
});

test.run();

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { CreateThingGroupCommand } from "@aws-sdk/client-iot";
import { execa } from "execa";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { callerAccount } from "../../lib/aws/caller.ts";
import { awsAccess } from "../../lib/aws/clients.ts";
import { ensureThingGroup } from "../../lib/aws/thing-group.ts";
import { ProblemError } from "../../lib/problem/index.ts";
import { failure, REGION, withSandbox } from "../sandbox/rig.ts";

const ASK = fileURLToPath(new URL("ask.ts", import.meta.url));

const GARBAGE = [
  "ACCESS_KEY_ID",
  "SECRET_ACCESS_KEY",
  "SESSION_TOKEN",
  "REGION",
  "DEFAULT_REGION",
  "PROFILE",
  "ENDPOINT_URL",
  "ENDPOINT_URL_STS",
  "ENDPOINT_URL_IOT",
  "ENDPOINT_URL_IAM",
  "ENDPOINT_URL_GREENGRASSV2",
  "CONFIG_FILE",
  "SHARED_CREDENTIALS_FILE",
  "USE_FIPS_ENDPOINT",
  "USE_DUALSTACK_ENDPOINT",
  "RETRY_MODE",
  "MAX_ATTEMPTS",
  "DEFAULTS_MODE",
  "CONTAINER_CREDENTIALS_FULL_URI",
  "WEB_IDENTITY_TOKEN_FILE",
  "ROLE_ARN",
  "SDK_UA_APP_ID",
  "SIGV4A_SIGNING_REGION_SET",
  "AUTH_SCHEME_PREFERENCE",
  "ACCOUNT_ID_ENDPOINT_MODE",
  "CA_BUNDLE",
  "STS_REGIONAL_ENDPOINTS",
  "EC2_METADATA_SERVICE_ENDPOINT",
];
const MEANT_FOR_AWS = {
  AWS_USE_FIPS_ENDPOINT: "true",
  AWS_USE_DUALSTACK_ENDPOINT: "true",
  AWS_AUTH_SCHEME_PREFERENCE: "sigv4a,httpBearerAuth",
  AWS_SDK_UA_APP_ID: "x".repeat(60),
  AWS_ENDPOINT_URL: "http://127.0.0.1:1",
  AWS_PROFILE: "production",
  AWS_DEFAULTS_MODE: "auto",
};

for (const [kind, env] of [
  ["garbage", Object.fromEntries(GARBAGE.map((name) => [`AWS_${name}`, "\u2603 garbage://x"]))],
  ["settings that are meant for AWS", MEANT_FOR_AWS],
] as const) {
  test(`in the sandbox ${kind} in the environment do not matter, and no warning is printed`, () =>
    withSandbox(async ({ sandbox }) => {
      const run = await execa(process.execPath, ["--import", "tsx", ASK, sandbox.endpoint], {
        env,
        timeout: 20_000,
      });
      assert.equal(JSON.parse(run.stdout), [
        "000000000000",
        "ResourceNotFoundException",
        "NoSuchEntityException",
        "[]",
      ]);
      assert.is(run.stderr, "");
    }));
}

test("the account of the credentials is reported", () =>
  withSandbox(async ({ access }) => {
    assert.is(await callerAccount(access), "000000000000");
  }));

test("a group is made once and is ours; one that somebody else made is not", () =>
  withSandbox(async ({ access }) => {
    const made = await ensureThingGroup(access, { name: "fleet", instance: "acme" });
    assert.equal(made, { arn: "arn:aws:iot:eu-west-1:000000000000:thinggroup/fleet", ours: true });
    assert.equal(await ensureThingGroup(access, { name: "fleet", instance: "acme" }), made);
    assert.is((await ensureThingGroup(access, { name: "fleet", instance: "rival" })).ours, false);
    await (await access.iot()).send(new CreateThingGroupCommand({ thingGroupName: "theirs" }));
    assert.is((await ensureThingGroup(access, { name: "theirs", instance: "acme" })).ours, false);
  }));

test("an error names the call, the resource and AWS's reason", () =>
  withSandbox(async ({ access }) => {
    const error = await failure(ensureThingGroup(access, { name: "a b", instance: "acme" }));
    assert.instance(error, ProblemError);
    assert.is((error as ProblemError).exitCode, 1);
    assert.match(
      error.message,
      /iot:DescribeThingGroup of "a b" failed: InvalidRequestException\n {2}why: thingGroupName: /,
    );
  }));

test("a missing right needs a person", async () => {
  const server = createServer((_, response) => {
    response
      .writeHead(403, { "x-amzn-errortype": "AccessDeniedException" })
      .end('{"message":"User is not authorized"}');
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const access = awsAccess({
    region: REGION,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  const error = await failure(ensureThingGroup(access, { name: "fleet", instance: "acme" }));
  access.close();
  server.close();
  assert.is((error as ProblemError).exitCode, 4);
  assert.match(error.message, /AccessDeniedException[\s\S]*fix: .*allow iot:DescribeThingGroup/);
});

test.run();

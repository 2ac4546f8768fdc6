// The aws CLI against the sandbox: another program, with another reading of AWS's wire formats.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CreateThingCommand } from "@aws-sdk/client-iot";
import { Started } from "../support/bin.ts";
import { tempFolder } from "../support/temp.ts";
import { testWith } from "../support/tools.ts";
import { REGION, withSandbox } from "./rig.ts";

testWith(test, ["aws"], "the aws CLI finds its way in the sandbox", () =>
  withSandbox(async ({ access, sandbox }) => {
    await (
      await access.iot()
    ).send(new CreateThingCommand({ thingName: "t", attributePayload: { attributes: { a: "b" } } }));
    const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_")));
    const env = {
      ...own,
      AWS_ENDPOINT_URL: sandbox.endpoint,
      AWS_ACCESS_KEY_ID: "a",
      AWS_SECRET_ACCESS_KEY: "b",
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_PAGER: "",
    };
    const aws = async (...words: string[]): Promise<unknown> => {
      const { exit, stdout, stderr } = await new Started(
        tempFolder("aws"),
        "aws",
        [...words, "--output", "json"],
        { env },
      ).end(60_000);
      assert.is(exit, 0, stderr);
      return stdout.trim() === "" ? undefined : JSON.parse(stdout);
    };
    assert.is(((await aws("sts", "get-caller-identity")) as { Account: string }).Account, "000000000000");
    assert.equal(
      ((await aws("iot", "describe-thing", "--thing-name", "t")) as { attributes: unknown }).attributes,
      { a: "b" },
    );
    assert.match(
      (
        (await aws("iot", "describe-endpoint", "--endpoint-type", "iot:Data-ATS")) as {
          endpointAddress: string;
        }
      ).endpointAddress,
      REGION,
    );
    await aws(
      "iam",
      "create-role",
      "--role-name",
      "r",
      "--assume-role-policy-document",
      '{"Version":"2012-10-17","Statement":[]}',
    );
    assert.equal(
      ((await aws("iam", "list-roles")) as { Roles: { RoleName: string }[] }).Roles.map(
        ({ RoleName }) => RoleName,
      ),
      ["r"],
    );
    assert.equal(
      ((await aws("greengrassv2", "list-core-devices")) as { coreDevices: unknown[] }).coreDevices,
      [],
    );
  }),
);

test.run();

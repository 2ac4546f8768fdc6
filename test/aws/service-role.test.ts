import { readFileSync } from "node:fs";
import { GetServiceRoleForAccountCommand } from "@aws-sdk/client-greengrassv2";
import {
  CreateRoleCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  ListAttachedRolePoliciesCommand,
} from "@aws-sdk/client-iam";
import {
  AssociateServiceRoleToAccountCommand,
  DisassociateServiceRoleFromAccountCommand,
} from "@aws-sdk/client-greengrassv2";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ensureServiceRole } from "../../lib/aws/service-role.ts";
import { ProblemError } from "../../lib/problem/index.ts";
import { failure, policy, withSandbox } from "../sandbox/rig.ts";

const options = { instance: "acme", account: "000000000000", roleName: "acme-service" };

test("where no role is associated one is made that only this account's Greengrass can assume, and associated", () =>
  withSandbox(async ({ access }) => {
    const made = await ensureServiceRole(access, options);
    assert.equal(made, { arn: "arn:aws:iam::000000000000:role/acme-service", ours: true });
    assert.is(
      (await (await access.greengrass()).send(new GetServiceRoleForAccountCommand({}))).roleArn,
      made.arn,
    );
    const iam = await access.iam();
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: "acme-service" }));
    const {
      Statement: [statement],
    } = JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ""));
    assert.equal(statement.Principal, { Service: "greengrass.amazonaws.com" });
    assert.equal(statement.Condition.StringEquals, { "aws:SourceAccount": "000000000000" });
    const { AttachedPolicies } = await iam.send(
      new ListAttachedRolePoliciesCommand({ RoleName: "acme-service" }),
    );
    assert.equal(
      AttachedPolicies?.map(({ PolicyArn }) => PolicyArn),
      ["arn:aws:iam::aws:policy/service-role/AWSGreengrassResourceAccessRolePolicy"],
    );
  }));

test("a second run finds its own role and changes nothing", () =>
  withSandbox(async ({ access, file }) => {
    const first = await ensureServiceRole(access, options);
    const bytes = readFileSync(file, "utf8");
    assert.equal(await ensureServiceRole(access, options), first);
    assert.is(readFileSync(file, "utf8"), bytes);
  }));

test("a role that somebody else associated is left alone and is not ours", () =>
  withSandbox(async ({ access, file }) => {
    const iam = await access.iam();
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName: "theirs", AssumeRolePolicyDocument: policy("sts:AssumeRole") }),
    );
    await (await access.greengrass()).send(new AssociateServiceRoleToAccountCommand({ roleArn: Role?.Arn }));
    const bytes = readFileSync(file, "utf8");
    assert.equal(await ensureServiceRole(access, options), { arn: Role?.Arn, ours: false });
    assert.equal(await ensureServiceRole(access, { ...options, roleName: "theirs" }), {
      arn: Role?.Arn,
      ours: false,
    });
    assert.is(readFileSync(file, "utf8"), bytes);
  }));

test("a run that was interrupted between the role and its association is completed", () =>
  withSandbox(async ({ access }) => {
    const { arn } = await ensureServiceRole(access, options);
    await (await access.greengrass()).send(new DisassociateServiceRoleFromAccountCommand({}));
    const PolicyArn = "arn:aws:iam::aws:policy/service-role/AWSGreengrassResourceAccessRolePolicy";
    await (await access.iam()).send(new DetachRolePolicyCommand({ RoleName: "acme-service", PolicyArn }));
    assert.equal(await ensureServiceRole(access, options), { arn, ours: true });
    const { AttachedPolicies } = await (
      await access.iam()
    ).send(new ListAttachedRolePoliciesCommand({ RoleName: "acme-service" }));
    assert.is(AttachedPolicies?.length, 1);
  }));

test("a foreign role under the wanted name stops the run", () =>
  withSandbox(async ({ access }) => {
    await (
      await access.iam()
    ).send(
      new CreateRoleCommand({ RoleName: "acme-service", AssumeRolePolicyDocument: policy("sts:AssumeRole") }),
    );
    const error = await failure(ensureServiceRole(access, options));
    assert.is((error as ProblemError).exitCode, 4);
    assert.match(error.message, /the role acme-service exists already and was not made by DosPesos/);
  }));

test.run();

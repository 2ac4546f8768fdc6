import * as iam from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { policy, refused, withSandbox } from "./rig.ts";

const trust = policy("sts:AssumeRole");

test("a role is made with tags, read back, changed and deleted", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iam();
    const Tags = [{ Key: "dospesos:instance", Value: "a & <b>" }];
    const made = await client.send(
      new iam.CreateRoleCommand({ RoleName: "r", AssumeRolePolicyDocument: trust, Tags, Description: "d" }),
    );
    assert.is(made.Role?.Arn, "arn:aws:iam::000000000000:role/r");
    const { Role } = await client.send(new iam.GetRoleCommand({ RoleName: "r" }));
    assert.equal(Role?.Tags, Tags);
    assert.is(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ""), trust);
    assert.is(Role?.MaxSessionDuration, 3600);
    assert.instance(Role?.CreateDate, Date);
    await client.send(new iam.UpdateRoleCommand({ RoleName: "r", MaxSessionDuration: 7200 }));
    await client.send(new iam.UpdateRoleDescriptionCommand({ RoleName: "r", Description: "e" }));
    await client.send(
      new iam.UpdateAssumeRolePolicyCommand({ RoleName: "r", PolicyDocument: policy("sts:TagSession") }),
    );
    await client.send(new iam.TagRoleCommand({ RoleName: "r", Tags: [{ Key: "k", Value: "" }] }));
    await client.send(new iam.UntagRoleCommand({ RoleName: "r", TagKeys: ["dospesos:instance"] }));
    assert.equal((await client.send(new iam.ListRoleTagsCommand({ RoleName: "r" }))).Tags, [
      { Key: "k", Value: "" },
    ]);
    const [listed] = (await client.send(new iam.ListRolesCommand({}))).Roles ?? [];
    assert.equal([listed?.Description, listed?.MaxSessionDuration], ["e", 7200]);
    assert.is(decodeURIComponent(listed?.AssumeRolePolicyDocument ?? ""), policy("sts:TagSession"));
    assert.equal(
      (await client.send(new iam.ListInstanceProfilesForRoleCommand({ RoleName: "r" }))).InstanceProfiles,
      [],
    );
    await client.send(new iam.DeleteRoleCommand({ RoleName: "r" }));
    await refused(client.send(new iam.GetRoleCommand({ RoleName: "r" })), iam.NoSuchEntityException);
  }));

test("a role of the same name conflicts, and a document that is not JSON is refused", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iam();
    const create = (document: string) =>
      client.send(new iam.CreateRoleCommand({ RoleName: "r", AssumeRolePolicyDocument: document }));
    await refused(create("{"), iam.MalformedPolicyDocumentException);
    await create(trust);
    await refused(create(trust), iam.EntityAlreadyExistsException);
  }));

test("a role with policies cannot be deleted", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iam();
    const RoleName = "r";
    await client.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }));
    await client.send(
      new iam.PutRolePolicyCommand({
        RoleName,
        PolicyName: "inline",
        PolicyDocument: policy("s3:GetObject"),
      }),
    );
    const inline = await client.send(new iam.GetRolePolicyCommand({ RoleName, PolicyName: "inline" }));
    assert.is(decodeURIComponent(inline.PolicyDocument ?? ""), policy("s3:GetObject"));
    assert.equal((await client.send(new iam.ListRolePoliciesCommand({ RoleName }))).PolicyNames, ["inline"]);
    await refused(client.send(new iam.DeleteRoleCommand({ RoleName })), iam.DeleteConflictException);
    await client.send(new iam.DeleteRolePolicyCommand({ RoleName, PolicyName: "inline" }));
    await refused(
      client.send(new iam.GetRolePolicyCommand({ RoleName, PolicyName: "inline" })),
      iam.NoSuchEntityException,
    );

    const { Policy } = await client.send(
      new iam.CreatePolicyCommand({ PolicyName: "m", PolicyDocument: policy("s3:GetObject") }),
    );
    const PolicyArn = Policy?.Arn;
    await client.send(new iam.AttachRolePolicyCommand({ RoleName, PolicyArn }));
    assert.equal(
      (await client.send(new iam.ListAttachedRolePoliciesCommand({ RoleName }))).AttachedPolicies,
      [{ PolicyName: "m", PolicyArn }],
    );
    assert.is((await client.send(new iam.GetPolicyCommand({ PolicyArn }))).Policy?.AttachmentCount, 1);
    await refused(client.send(new iam.DeleteRoleCommand({ RoleName })), iam.DeleteConflictException);
    await refused(client.send(new iam.DeletePolicyCommand({ PolicyArn })), iam.DeleteConflictException);
    await client.send(new iam.DetachRolePolicyCommand({ RoleName, PolicyArn }));
    await refused(
      client.send(new iam.DetachRolePolicyCommand({ RoleName, PolicyArn })),
      iam.NoSuchEntityException,
    );
    await client.send(new iam.DeletePolicyCommand({ PolicyArn }));
    await client.send(new iam.DeleteRoleCommand({ RoleName }));
  }));

test("a managed policy has versions and tags", () =>
  withSandbox(async ({ access }) => {
    const client = await access.iam();
    const { Policy } = await client.send(
      new iam.CreatePolicyCommand({ PolicyName: "m", PolicyDocument: policy("a:b"), Tags: [] }),
    );
    const PolicyArn = Policy?.Arn;
    assert.is(PolicyArn, "arn:aws:iam::000000000000:policy/m");
    const made = await client.send(
      new iam.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: policy("c:d"), SetAsDefault: true }),
    );
    assert.is(made.PolicyVersion?.VersionId, "v2");
    await refused(
      client.send(new iam.DeletePolicyVersionCommand({ PolicyArn, VersionId: "v2" })),
      iam.DeleteConflictException,
    );
    await refused(client.send(new iam.DeletePolicyCommand({ PolicyArn })), iam.DeleteConflictException);
    await client.send(new iam.SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: "v1" }));
    await client.send(new iam.DeletePolicyVersionCommand({ PolicyArn, VersionId: "v2" }));
    const { Versions } = await client.send(new iam.ListPolicyVersionsCommand({ PolicyArn }));
    assert.equal(
      Versions?.map((version) => [version.VersionId, version.IsDefaultVersion]),
      [["v1", true]],
    );
    const first = await client.send(new iam.GetPolicyVersionCommand({ PolicyArn, VersionId: "v1" }));
    assert.is(decodeURIComponent(first.PolicyVersion?.Document ?? ""), policy("a:b"));
    await client.send(
      new iam.TagPolicyCommand({
        PolicyArn,
        Tags: [
          { Key: "a", Value: "1" },
          { Key: "b", Value: "2" },
        ],
      }),
    );
    await client.send(new iam.UntagPolicyCommand({ PolicyArn, TagKeys: ["a"] }));
    assert.equal((await client.send(new iam.ListPolicyTagsCommand({ PolicyArn }))).Tags, [
      { Key: "b", Value: "2" },
    ]);
    await refused(
      client.send(new iam.GetPolicyCommand({ PolicyArn: `${PolicyArn}x` })),
      iam.NoSuchEntityException,
    );
  }));

test("everybody is the same caller of the sandbox's account", () =>
  withSandbox(async ({ access, sandbox }) => {
    const { Account } = await (await access.sts()).send(new GetCallerIdentityCommand({}));
    assert.is(Account, "000000000000");
    assert.is(sandbox.accountId, Account);
  }));

test.run();

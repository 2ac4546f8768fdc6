/**
 * What the IAM user or role of whoever runs DosPesos may do, by command. The calls are those of a trace
 * (test/terraform/permissions.test.ts), which holds this table: a call that is not here fails it, and so does one that
 * is here and was not made.
 */

/** Who may read may not change anything: status, why, inventory, check, the waiting of deploy. */
const LOOK = {
  status: [
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iot:DescribeCertificate",
    "iot:DescribeEndpoint",
    "iot:DescribeRoleAlias",
    "iot:DescribeThing",
    "iot:GetPolicy",
    "iot:ListAttachedPolicies",
    "iot:ListTagsForResource",
    "iot:ListThingGroupsForThing",
    "iot:ListThingPrincipals",
    "sts:GetCallerIdentity",
  ],
  inventory: [
    "greengrass:ListCoreDevices",
    "iot:DescribeCertificate",
    "iot:GetPolicy",
    "iot:GetThingConnectivityData",
    "iot:ListAttachedPolicies",
    "iot:ListPrincipalThings",
    "iot:ListThingPrincipals",
    "iot:ListThings",
    "sts:GetCallerIdentity",
  ],
  check: [
    "greengrass:GetCoreDevice",
    "iot:DescribeCertificate",
    "iot:DescribeEndpoint",
    "iot:GetPolicy",
    "iot:GetThingConnectivityData",
    "iot:ListAttachedPolicies",
    "iot:ListPrincipalThings",
    "sts:GetCallerIdentity",
  ],
  deploy: [
    "greengrass:GetDeployment",
    "greengrass:ListCoreDevices",
    "iot:ListJobExecutionsForJob",
    "sts:GetCallerIdentity",
  ],
} as const;

const BUILD = [
  "greengrass:AssociateServiceRoleToAccount",
  "greengrass:BatchAssociateClientDeviceWithCoreDevice",
  "greengrass:CreateDeployment",
  "greengrass:GetServiceRoleForAccount",
  "greengrass:ListClientDevicesAssociatedWithCoreDevice",
  "greengrass:ListDeployments",
  "iam:AttachRolePolicy",
  "iam:CreateRole",
  "iam:GetRole",
  "iam:GetRolePolicy",
  "iam:ListAttachedRolePolicies",
  "iam:ListRolePolicies",
  "iam:PutRolePolicy",
  "iot:AddThingToThingGroup",
  "iot:AttachPolicy",
  "iot:AttachThingPrincipal",
  "iot:CreateCertificateFromCsr",
  "iot:CreatePolicy",
  "iot:CreateRoleAlias",
  "iot:CreateThing",
  "iot:CreateThingGroup",
  "iot:DescribeCertificate",
  "iot:DescribeEndpoint",
  "iot:DescribeRoleAlias",
  "iot:DescribeThing",
  "iot:DescribeThingGroup",
  "iot:GetPolicy",
  "iot:ListAttachedPolicies",
  "iot:ListTagsForResource",
  "iot:ListThingGroupsForThing",
  "iot:ListThingPrincipals",
  "iot:ListThingsInThingGroup",
  "sts:GetCallerIdentity",
];

const DESTROY = [
  "greengrass:BatchDisassociateClientDeviceFromCoreDevice",
  "greengrass:CancelDeployment",
  "greengrass:DeleteCoreDevice",
  "greengrass:DeleteDeployment",
  "greengrass:DisassociateServiceRoleFromAccount",
  "greengrass:GetDeployment",
  "greengrass:GetServiceRoleForAccount",
  "greengrass:ListClientDevicesAssociatedWithCoreDevice",
  "greengrass:ListDeployments",
  "iam:DeleteRole",
  "iam:DeleteRolePolicy",
  "iam:DetachRolePolicy",
  "iam:GetRole",
  "iam:GetRolePolicy",
  "iam:ListAttachedRolePolicies",
  "iam:ListInstanceProfilesForRole",
  "iam:ListRolePolicies",
  "iot:DeleteCertificate",
  "iot:DeletePolicy",
  "iot:DeleteRoleAlias",
  "iot:DeleteThing",
  "iot:DeleteThingGroup",
  "iot:DescribeCertificate",
  "iot:DescribeEndpoint",
  "iot:DescribeRoleAlias",
  "iot:DescribeThing",
  "iot:DescribeThingGroup",
  "iot:DetachPolicy",
  "iot:DetachThingPrincipal",
  "iot:GetPolicy",
  "iot:ListAttachedPolicies",
  "iot:ListPolicyVersions",
  "iot:ListTagsForResource",
  "iot:ListThingGroupsForThing",
  "iot:ListThingPrincipals",
  "iot:ListThingsInThingGroup",
  "iot:RemoveThingFromThingGroup",
  "iot:UpdateCertificate",
  "sts:GetCallerIdentity",
];

/** The calls of each command on a project with one core and one thing, from an empty account and back. */
export const traced: Readonly<Record<string, readonly string[]>> = {
  build: BUILD,
  ...LOOK,
  destroy: DESTROY,
};

/** What AWS asks for besides, without a call of that name, and what only changes of something call. */
const BESIDES: Readonly<Record<string, readonly (readonly [action: string, why: string])[]>> = {
  build: [
    [
      "iam:PassRole",
      "CreateRoleAlias and AssociateServiceRoleToAccount hand a role to AWS IoT and Greengrass",
    ],
    ["iam:TagRole", "roles are made with tags"],
    ["iot:TagResource", "policies, role aliases and thing groups are made with tags"],
    ["greengrass:TagResource", "deployments and components are made with tags"],
    ["iot:CreateJob", "CreateDeployment makes a job for the group"],
    ["iot:DescribeJob", "the same"],
    ["iot:GetThingShadow", "the same, for the deployment of a single thing"],
    ["iot:UpdateThingShadow", "the same"],
    ["iot:CreatePolicyVersion", "a policy changes"],
    ["iot:DeletePolicyVersion", "a policy has five versions already"],
    ["iot:ListPolicyVersions", "a policy changes"],
    ["iot:RemoveThingFromThingGroup", "a core moves to another group"],
    ["iot:UpdateRoleAlias", "the role of the alias changes"],
    ["iot:UpdateThing", "the attributes of a thing change"],
    ["iot:ListCertificates", "an apply was interrupted: certificates that it made are looked for"],
    ["iot:UpdateCertificate", "a certificate is to be active again"],
    ["iam:UpdateAssumeRolePolicy", "who may take the role changes"],
    ["greengrass:BatchDisassociateClientDeviceFromCoreDevice", "a thing moves to another core"],
    ["greengrass:CreateComponentVersion", "there are components of your own"],
    ["greengrass:DescribeComponent", "the same"],
    ["greengrass:ListComponentVersions", "the same"],
    ["s3:PutObject", "a component has artifacts: on the objects of [components] bucket"],
  ],
  destroy: [
    ["iot:CancelJob", "CancelDeployment ends the job of the group"],
    ["iot:DeleteJob", "DeleteDeployment"],
    ["iot:DetachThingPrincipal", "certificates that an interrupted apply left"],
    ["iot:ListPrincipalThings", "the same"],
    ["iot:DeletePolicyVersion", "a policy has several versions"],
    ["greengrass:DescribeComponent", "there are components of your own"],
    ["greengrass:ListComponentVersions", "the same"],
    ["greengrass:DeleteComponent", "the same"],
  ],
  deploy: [["greengrass:ListEffectiveDeployments", "why a core failed it"]],
  rotate: [
    ["iot:UpdateCertificate", "the old certificate is made inactive, and active again"],
    ["iot:DetachPolicy", "its end"],
    ["iot:DetachThingPrincipal", "its end"],
    ["iot:DeleteCertificate", "its end"],
    ["iot:ListPrincipalThings", "its end"],
    ["iot:GetThingConnectivityData", "to see whether the core does without"],
  ],
};

const HEAD = `# Permissions

Made from \`docs/permissions.ts\` by \`npm run docs\`.

What the IAM user or role of whoever runs DosPesos needs in a real account, by command. The calls come from a trace of
real Terraform and DosPesos against the sandbox, and a test holds them: no command calls anything else. What follows
behind them is what AWS asks for besides ([Service Authorization
Reference](https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiot.html)), or what only a change
calls; none of it has been tried in a live account.

In the policies INSTANCE is \`[instance] name\`, REGION and ACCOUNT are those of \`[aws]\`. IAM's part is bound to the
roles of the instance. AWS IoT and Greengrass are bound to the region; who shares it with others can bind things, thing
groups and policies by their ARNs, too: policies, roles and role aliases begin with the instance's name, things are
called as in settings.ini.

Commands that are not here ask AWS nothing: list, clean, watch, push, request, sandbox. why and status without
\`--verify\` do not, either. rotate needs what build needs, and deploy, too.
`;

/** The page of rights. */
export function permissionsPage(): string {
  const parts = [
    section("Looking: status --verify, inventory, check", Object.values(LOOK).flat(), []),
    section("build, build --verify, deploy", BUILD, BESIDES["build"]!),
    section("rotate, besides build", [], BESIDES["rotate"]!),
    section("destroy", DESTROY, BESIDES["destroy"]!),
  ];
  return `${HEAD}\n${parts.join("\n")}\n${STATE}`;
}

const STATE = `## Terraform's state in S3

With \`[terraform] backend = s3\`, on the bucket: s3:ListBucket, s3:GetBucketVersioning, s3:GetBucketTagging; on its
objects below the prefix: s3:GetObject, s3:PutObject, s3:DeleteObject (the lock). Whose build makes the bucket, needs
s3:CreateBucket, s3:PutBucketTagging, s3:PutBucketVersioning, s3:PutEncryptionConfiguration and
s3:PutBucketPublicAccessBlock, too.
`;

function section(
  title: string,
  calls: readonly string[],
  besides: readonly (readonly [string, string])[],
): string {
  const actions = [...new Set([...calls, ...besides.map(([action]) => action)])].sort();
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: statements(actions) }, null, 2);
  const rest = besides.map(([action, why]) => `- ${action}: ${why}\n`).join("");
  return `## ${title}\n\n\`\`\`json\n${policy}\n\`\`\`\n${rest === "" ? "" : `\nNot calls of their own, or only of a change:\n\n${rest}`}`;
}

function statements(actions: readonly string[]): object[] {
  const of = (...services: string[]): string[] =>
    actions.filter((action) => services.includes(action.split(":")[0]!));
  const inRegion = { StringEquals: { "aws:RequestedRegion": "REGION" } };
  return [
    { Effect: "Allow", Action: of("iam"), Resource: "arn:aws:iam::ACCOUNT:role/INSTANCE-*" },
    { Effect: "Allow", Action: of("iot", "greengrass"), Resource: "*", Condition: inRegion },
    { Effect: "Allow", Action: of("sts"), Resource: "*" },
    { Effect: "Allow", Action: of("s3"), Resource: "arn:aws:s3:::BUCKET/*" },
  ].filter(({ Action }) => Action.length > 0);
}

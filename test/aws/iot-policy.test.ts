import { test } from "uvu";
import * as assert from "uvu/assert";
import { decidePolicies } from "../../lib/aws/iot-policy.ts";

const ARN = "arn:aws:iot:eu-west-1:123456789012:";
const policy = (...Statement: object[]) => [
  { name: "p", document: JSON.stringify({ Version: "2012-10-17", Statement }) },
];
const allow = (Action: string | string[], Resource: string | string[]) => ({
  Effect: "Allow",
  Action,
  Resource,
});
const may = (
  policies: ReturnType<typeof policy>,
  action: string,
  resource: string,
  asking: { thing: string | undefined; clientId?: string } = { thing: "core-1", clientId: "core-1" },
): boolean => decidePolicies(policies, asking, action, `${ARN}${resource}`).allowed;

test("what nothing allows is denied, and the reason names the action and the policies", () => {
  assert.not(may(policy(), "iot:Connect", "client/a"));
  const { allowed, why } = decidePolicies(
    policy(allow("iot:Publish", "*")),
    { thing: "a" },
    "iot:Connect",
    `${ARN}client/a`,
  );
  assert.not(allowed);
  assert.match(why, `iot:Connect on ${ARN}client/a: none of the policies p allows it`);
  assert.match(decidePolicies([], { thing: "a" }, "iot:Connect", "x").why, "the certificate has no policy");
});

test("* and ? stand for characters, in actions without regard to case, and nothing else is special", () => {
  const policies = policy(allow(["IOT:con*", "iot:Publish"], [`${ARN}client/core-?`, `${ARN}topic/a.b/*`]));
  assert.ok(may(policies, "iot:Connect", "client/core-1"));
  assert.not(may(policies, "iot:Connect", "client/core-10"));
  assert.not(may(policies, "iot:Connect", "client/CORE-1"));
  assert.ok(may(policies, "iot:Publish", "topic/a.b/c/d"));
  assert.not(may(policies, "iot:Publish", "topic/aXb/c"));
});

test("a Deny wins over every Allow, in whatever order and policy", () => {
  const policies = [
    ...policy(allow("iot:*", "*")),
    {
      name: "q",
      document: JSON.stringify({
        Statement: { Effect: "Deny", Action: "iot:Connect", Resource: `${ARN}client/bad` },
      }),
    },
  ];
  assert.ok(may(policies, "iot:Connect", "client/good"));
  assert.not(may(policies, "iot:Connect", "client/bad"));
});

test("policy variables stand for this connection's thing and client; one without a value matches nothing", () => {
  const policies = policy(
    allow("iot:Connect", `${ARN}client/\${iot:Connection.Thing.ThingName}`),
    allow("iot:Publish", `${ARN}topic/\${iot:ClientId}/*`),
    allow("iot:Receive", `${ARN}topic/\${iot:Certificate.Subject.CommonName}`),
  );
  assert.ok(may(policies, "iot:Connect", "client/core-1"));
  assert.not(may(policies, "iot:Connect", "client/core-2"));
  assert.not(may(policies, "iot:Connect", "client/", { thing: undefined }));
  assert.ok(may(policies, "iot:Publish", "topic/core-1/x"));
  assert.not(may(policies, "iot:Receive", "topic/"));
});

test("what is not modelled is never read in the caller's favour", () => {
  assert.not(
    may(
      policy({ ...allow("iot:*", "*"), Condition: { Bool: { "iot:Connection.Thing.IsAttached": "true" } } }),
      "iot:Connect",
      "client/a",
    ),
  );
  assert.not(
    may(policy({ Effect: "Allow", NotAction: "iot:Publish", Resource: "*" }), "iot:Connect", "client/a"),
  );
  assert.not(
    may(
      policy(allow("iot:*", "*"), { Effect: "Deny", Action: "iot:Publish", NotResource: "x" }),
      "iot:Connect",
      "client/a",
    ),
  );
});

test("many stars take no longer than few, a client id is no wildcard, and a Deny that cannot be judged denies (B8)", () => {
  assert.not(
    may(policy(allow("iot:Publish", `${"*a".repeat(40)}*b`)), "iot:Publish", `topic/${"a".repeat(4000)}`),
  );
  assert.ok(may(policy(allow("iot:Publish", "**a?*a*")), "iot:Publish", "topic/aba"));
  const own = policy(allow("iot:Connect", `${ARN}client/\${iot:ClientId}`));
  assert.not(may(own, "iot:Connect", "client/other", { thing: "core-1", clientId: "*" }));
  assert.ok(may(own, "iot:Connect", "client/*", { thing: "core-1", clientId: "*" }));
  const deny = {
    Effect: "Deny",
    Action: "iot:Publish",
    Resource: `${ARN}topic/\${iot:Certificate.Subject.Organization}`,
  };
  assert.not(may(policy(allow("iot:*", "*"), deny), "iot:Publish", "topic/x"));
  assert.ok(may(policy(allow("iot:*", "*"), deny), "iot:Subscribe", "topicfilter/x"));
});

test.run();

import { isLike, patternOf } from "./wildcards.ts";

/** An answer, with the reason for a person. */
export interface Decision {
  readonly allowed: boolean;
  readonly why: string;
}

export interface NamedPolicy {
  readonly name: string;
  /** The JSON text of its default version. */
  readonly document: string;
}

/**
 * What policy variables stand for: the thing that a certificate speaks for, and over MQTT the id of its
 * client.
 */
export interface PolicyContext {
  readonly thing: string | undefined;
  readonly clientId?: string;
}

interface Statement {
  readonly Effect?: unknown;
  readonly Action?: unknown;
  readonly NotAction?: unknown;
  readonly Resource?: unknown;
  readonly NotResource?: unknown;
  readonly Condition?: unknown;
}

/**
 * Whether IoT policies allow an action on a resource (an ARN): a Deny wins, and what nothing allows is denied
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-authorization.html). Conditions, NotAction and
 * NotResource are not modelled: an Allow with one allows nothing, and a Deny with one denies.
 */
export function decidePolicies(
  policies: readonly NamedPolicy[],
  asking: PolicyContext,
  action: string,
  resource: string,
): Decision {
  const operation = `${action} on ${resource}`;
  if (policies.length === 0) {
    return { allowed: false, why: `${operation}: the certificate has no policy` };
  }
  let allowed = false;
  for (const { name, document } of policies) {
    for (const statement of statementsOf(document)) {
      const isUnknown =
        statement.Condition !== undefined ||
        statement.NotAction !== undefined ||
        statement.NotResource !== undefined;
      const isMeant = isMeantBy(statement, asking, action, resource);
      if (statement.Effect === "Deny" && (isUnknown || isMeant)) {
        return { allowed: false, why: `${operation}: the policy ${name} denies it` };
      }
      if (statement.Effect === "Allow" && !isUnknown && isMeant) {
        allowed = true;
      }
    }
  }
  return {
    allowed,
    why: allowed
      ? operation
      : `${operation}: none of the policies ${policies.map(({ name }) => name).join(", ")} allows it`,
  };
}

function statementsOf(document: string): Statement[] {
  const { Statement: list } = JSON.parse(document) as { Statement?: Statement | Statement[] };
  return [list ?? []].flat();
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((each): each is string => typeof each === "string");
}

/** A pattern with a variable that has no value allows nothing, and denies everything. */
function isMeantBy(
  { Action, Resource, Effect }: Statement,
  { thing, clientId }: PolicyContext,
  action: string,
  resource: string,
): boolean {
  const values = new Map([
    ["iot:Connection.Thing.ThingName", thing],
    ["iot:ClientId", clientId],
  ]);
  const matches = (text: string, asked: string): boolean => {
    const pattern = patternOf(text, (name) => values.get(name));
    return pattern === undefined ? Effect === "Deny" : isLike(pattern, asked);
  };
  return (
    texts(Action).some((text) => matches(text.toLowerCase(), action.toLowerCase())) &&
    texts(Resource).some((text) => matches(text, resource))
  );
}

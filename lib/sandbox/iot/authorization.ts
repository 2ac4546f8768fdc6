import type { Certificate, Region } from "../account.ts";
import { defaultVersion } from "../policy-versions.ts";

/** Who asks: a certificate, the thing that it speaks for, and over MQTT the id of its client. */
export interface Principal {
  readonly certificate: Certificate;
  readonly thing: string | undefined;
  readonly clientId?: string;
}

/** An answer, with the reason for a person. */
export interface Decision {
  readonly allowed: boolean;
  readonly why: string;
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
 * Whether the policies of the certificate, and of its thing's groups, allow an action on a resource (an ARN): a Deny wins, and what
 * nothing allows is denied (https://docs.aws.amazon.com/iot/latest/developerguide/iot-authorization.html). Conditions, NotAction and
 * NotResource are not modelled: an Allow with one allows nothing, and a Deny with one denies.
 */
export function decide(region: Region, principal: Principal, action: string, resource: string): Decision {
  const groups = [...region.groups.values()].filter(({ things }) => principal.thing !== undefined && things.includes(principal.thing));
  const names = [...principal.certificate.policies, ...groups.flatMap(({ policies }) => policies)];
  const asked = `${action} on ${resource}`;
  if (names.length === 0) return { allowed: false, why: `${asked}: the certificate has no policy` };
  let allowed = false;
  for (const name of names) {
    const policy = region.policies.get(name);
    for (const statement of policy === undefined ? [] : statementsOf(defaultVersion(policy).document)) {
      const isUnknown = statement.Condition !== undefined || statement.NotAction !== undefined || statement.NotResource !== undefined;
      const isMeant = texts(statement.Action).some((pattern) => matches(pattern, action, "i"))
        && texts(statement.Resource).some((pattern) => matches(substituted(pattern, principal), resource, ""));
      if (statement.Effect === "Deny" && (isUnknown || isMeant)) return { allowed: false, why: `${asked}: the policy ${name} denies it` };
      if (statement.Effect === "Allow" && !isUnknown && isMeant) allowed = true;
    }
  }
  return { allowed, why: allowed ? asked : `${asked}: none of the policies ${names.join(", ")} allows it` };
}

function statementsOf(document: string): Statement[] {
  const { Statement: list } = JSON.parse(document) as { Statement?: unknown };
  return (Array.isArray(list) ? list : list === undefined ? [] : [list]) as Statement[];
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((each): each is string => typeof each === "string");
}

/** The pattern with its policy variables filled in; undefined where one has no value: then it matches nothing. */
function substituted(pattern: string, { thing, clientId }: Principal): string | undefined {
  const values = new Map([["iot:Connection.Thing.ThingName", thing], ["iot:ClientId", clientId]]);
  let isWhole = true;
  const text = pattern.replace(/\$\{([^}]+)\}/g, (_, name: string) => {
    const value = values.get(name);
    isWhole &&= value !== undefined;
    return value ?? "";
  });
  return isWhole ? text : undefined;
}

/** `*` stands for any characters, `?` for one. */
function matches(pattern: string | undefined, text: string, flags: "" | "i"): boolean {
  if (pattern === undefined) return false;
  const expression = pattern.replace(/[\\^$.|+()[\]{}]/g, "\\$&").replaceAll("*", "[^]*").replaceAll("?", "[^]");
  return new RegExp(`^${expression}$`, flags).test(text);
}

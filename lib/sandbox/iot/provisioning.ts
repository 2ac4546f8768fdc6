import { randomUUID } from "node:crypto";
import * as v from "valibot";
import type { Certificate, Region } from "../account.ts";

const parameter = v.object({ Type: v.literal("String"), Default: v.optional(v.string()) });
const resource = v.object({
  Type: v.string(),
  Properties: v.optional(v.record(v.string(), v.unknown()), {}),
});

/**
 * A provisioning template's body, as far as it is carried out here: a thing, its groups, the certificate's status, and
 * policies by name (https://docs.aws.amazon.com/iot/latest/developerguide/provision-template.html).
 */
const body = v.object({
  Parameters: v.optional(v.record(v.string(), parameter), {}),
  Resources: v.record(v.string(), resource),
});

export type TemplateBody = v.InferOutput<typeof body>;

const KNOWN = ["AWS::IoT::Thing", "AWS::IoT::Certificate", "AWS::IoT::Policy"];

/** @throws Error that says what is wrong with it. */
export function templateIn(text: string): TemplateBody {
  const parsed = v.safeParse(body, JSON.parse(text));
  if (!parsed.success) {
    throw new Error(`${v.getDotPath(parsed.issues[0]) ?? "its top level"}: ${parsed.issues[0].message}`);
  }
  for (const [name, { Type }] of Object.entries(parsed.output.Resources)) {
    if (!KNOWN.includes(Type)) {
      throw new Error(`${name} is of the type ${Type}, which the sandbox does not know`);
    }
  }
  return parsed.output;
}

/** What went wrong with the parameters of a request. */
export class BadParameters extends Error {}

/**
 * Makes what the template says for one device, and gives its thing's name.
 * @throws BadParameters where a parameter is missing, and Error where a group or a policy is not there; then nothing
 * is made.
 */
export function carryOut(
  region: Region,
  { Parameters, Resources }: TemplateBody,
  given: Readonly<Record<string, string>>,
  certificate: Certificate,
): string {
  const values = new Map<string, string>([["AWS::IoT::Certificate::Id", certificate.id]]);
  for (const [name, { Default }] of Object.entries(Parameters)) {
    const value = given[name] ?? Default;
    if (value === undefined && !name.startsWith("AWS::IoT::Certificate::")) {
      throw new BadParameters(`the parameter ${name} is missing`);
    }
    if (value !== undefined) {
      values.set(name, value);
    }
  }
  const of = (type: string): Readonly<Record<string, unknown>>[] =>
    Object.values(Resources)
      .filter(({ Type }) => Type === type)
      .map(({ Properties }) => Properties);
  const [thing = {}] = of("AWS::IoT::Thing");
  const name = evaluated(thing["ThingName"], values);
  if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(name)) {
    throw new BadParameters(`${name} is no name of a thing`);
  }
  const groups = textsOf(thing["ThingGroups"], values).map((group) => {
    if (!region.groups.has(group)) {
      throw new Error(`there is no thing group ${group}`);
    }
    return group;
  });
  const policies = of("AWS::IoT::Policy").map((one) => {
    const policy = evaluated(one["PolicyName"], values);
    if (!region.policies.has(policy)) {
      throw new Error(`there is no policy ${policy}`);
    }
    return policy;
  });
  const attributes = isObject(thing["AttributePayload"]) ? thing["AttributePayload"] : {};
  region.things.set(name, {
    name,
    id: region.things.get(name)?.id ?? randomUUID(),
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => [key, evaluated(value, values)]),
    ),
    version: (region.things.get(name)?.version ?? 0) + 1,
  });
  for (const group of groups) {
    region.memberships.setPair(group, name, {});
  }
  const [{ Status: status = "Active" } = {}] = of("AWS::IoT::Certificate");
  region.certificates.change(certificate.id).status =
    evaluated(status, values).toUpperCase() === "ACTIVE" ? "ACTIVE" : "INACTIVE";
  region.principals.setPair(certificate.id, name, { type: "NON_EXCLUSIVE_THING" });
  for (const policy of policies) {
    region.attachments.setPair(certificate.id, policy, {});
  }
  return name;
}

/** A text, `{"Ref": name}`, or `{"Fn::Join": [separator, parts]}`. */
function evaluated(value: unknown, values: ReadonlyMap<string, string>): string {
  if (typeof value === "string") {
    return value;
  }
  const { Ref: ref, "Fn::Join": join } = isObject(value) ? value : {};
  if (typeof ref === "string") {
    const found = values.get(ref);
    if (found === undefined) {
      throw new BadParameters(`the parameter ${ref} is missing`);
    }
    return found;
  }
  if (Array.isArray(join) && typeof join[0] === "string" && Array.isArray(join[1])) {
    return join[1].map((part) => evaluated(part, values)).join(join[0]);
  }
  throw new Error(`the sandbox does not know ${JSON.stringify(value)} in a template`);
}

function textsOf(value: unknown, values: ReadonlyMap<string, string>): string[] {
  return Array.isArray(value) ? value.map((one) => evaluated(one, values)) : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

import * as v from "valibot";
import { isLike, patternOf } from "../../aws/wildcards.ts";

const operation = v.picklist(["mqtt:connect", "mqtt:publish", "mqtt:subscribe"]);
const statement = v.strictObject({
  statementDescription: v.optional(v.string()),
  operations: v.array(operation),
  resources: v.array(v.string()),
});

/**
 * What `aws.greengrass.clientdevices.Auth` is configured with
 * (https://docs.aws.amazon.com/greengrass/v2/developerguide/client-device-auth-component.html, format version
 * 2021-03-05).
 */
const configuration = v.strictObject({
  deviceGroups: v.strictObject({
    formatVersion: v.literal("2021-03-05"),
    definitions: v.record(v.string(), v.strictObject({ selectionRule: v.string(), policyName: v.string() })),
    policies: v.record(v.string(), v.record(v.string(), statement)),
  }),
});

export type Operation = v.InferOutput<typeof operation>;

/**
 * Whether a client device may do an operation on a resource, e.g. "mqtt:publish" on
 * "mqtt:topic:clients/thing-1/hello".
 */
export type MayDevice = (thing: string, operation: Operation, resource: string) => boolean;

/**
 * The rights that the configuration gives. Where a device is in several groups it has the rights of all.
 * Throws an Error that says what is wrong with a configuration that the component would not take. Without
 * any, nobody may do anything.
 */
export function deviceGroups(value: unknown): MayDevice {
  if (value === undefined) {
    return () => false;
  }
  const parsed = v.safeParse(configuration, value);
  if (!parsed.success) {
    throw new Error(`${v.getDotPath(parsed.issues[0]) ?? "the configuration"}: ${parsed.issues[0].message}`);
  }
  const { definitions, policies } = parsed.output.deviceGroups;
  const groups = Object.entries(definitions).map(([name, { selectionRule, policyName }]) => {
    const policy = policies[policyName];
    if (policy === undefined) {
      throw new Error(`device group ${name} names the policy ${policyName}, which is not there`);
    }
    return { selects: selection(selectionRule), statements: Object.values(policy) };
  });
  return (thing, requested, resource) =>
    groups.some(
      ({ selects, statements }) =>
        selects(thing) &&
        statements.some(
          ({ operations, resources }) =>
            operations.includes(requested) && resources.some((pattern) => matches(pattern, resource, thing)),
        ),
    );
}

/**
 * `thingName: A OR thingName: B*`; AND binds stronger (aws-greengrass-client-device-auth,
 * RuleExpression.jjt).
 */
function selection(rule: string): (thing: string) => boolean {
  const choices = rule
    .trim()
    .split(/\s+OR\s+/)
    .map((choice) =>
      choice.split(/\s+AND\s+/).map((term) => {
        const [, name] = /^thingName:\s*(\*?[A-Za-z0-9_\\:-]+\*?|\*)$/.exec(term.trim()) ?? [];
        if (name === undefined) {
          throw new Error(`the selection rule has ${JSON.stringify(term)}, where thingName: NAME is meant`);
        }
        return name.replaceAll("\\:", ":");
      }),
    );
  return (thing) => choices.some((names) => names.every((name) => matches(name, thing)));
}

/** `*` stands for any characters, and the thing's name for itself. */
function matches(text: string, asked: string, thing?: string): boolean {
  const pattern = patternOf(text, (name) => (name === "iot:Connection.Thing.ThingName" ? thing : undefined), {
    one: false,
  });
  return pattern !== undefined && isLike(pattern, asked);
}

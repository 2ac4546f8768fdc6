/** What a deployment changes of a component's configuration. */
export interface ConfigurationUpdate {
  /** JSON pointers (RFC 6901) of what goes back to the recipe's defaults; "" is all of it. */
  readonly reset?: readonly string[];
  readonly merge?: unknown;
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A component's configuration after a deployment, as the nucleus makes it: what runs, without what is reset, and
 * with `merge` over it, object by object (Greengrass V2 Developer Guide, "Update component configurations"). The
 * components that the sandbox knows have no defaults that matter here.
 */
export function updatedConfiguration(running: unknown, { reset = [], merge }: ConfigurationUpdate): unknown {
  const left = reset.reduce(without, running);
  return merge === undefined ? left : merged(left, merge);
}

function without(value: unknown, pointer: string): unknown {
  const [, key, ...rest] = pointer.split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (key === undefined) {
    return undefined;
  }
  if (!isObject(value) || !Object.hasOwn(value, key)) {
    return value;
  }
  const { [key]: below, ...others } = value;
  return rest.length === 0 ? others : { ...value, [key]: without(below, ["", ...rest].join("/")) };
}

function merged(value: unknown, over: unknown): unknown {
  if (!isObject(value) || !isObject(over)) {
    return over;
  }
  const both = Object.entries(over).map(([key, one]) => [key, merged(value[key], one)] as const);
  return { ...value, ...Object.fromEntries(both) };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

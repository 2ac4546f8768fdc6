import * as v from "valibot";

/** The only account that a sandbox has. AWS gives no account an id of zeros. */
export const SANDBOX_ACCOUNT = "000000000000";

/** A list in the file, a Map in memory: names such as "__proto__" are ordinary keys of a Map. */
function keyed<const K extends string, S extends v.GenericSchema<unknown, Record<K, string>>>(
  key: K,
  entry: S,
) {
  return v.pipe(
    v.array(entry),
    v.transform((entries) => new Map<string, v.InferOutput<S>>(entries.map((each) => [each[key], each]))),
  );
}

/**
 * Names to texts with any name allowed, also those that v.record drops because they are names of
 * Object.prototype.
 */
export const textRecord = v.custom<Record<string, string>>(
  (value) =>
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((each) => typeof each === "string"),
  "Expected an object of texts",
);

/** Seconds since 1970, as AWS's JSON protocols send it. */
const time = v.number();
const text = v.string();

const tag = v.strictObject({ Key: text, Value: text });
const tags = v.array(tag);

const policyVersion = v.strictObject({ number: v.number(), document: text, createdAt: time });

const thing = v.strictObject({
  name: text,
  id: text, // a UUID that a thing made anew under the old name does not share
  attributes: textRecord,
  version: v.number(), // counts updates
});

const thingGroup = v.strictObject({
  name: text,
  id: text,
  description: v.optional(text),
  attributes: textRecord,
  tags,
  version: v.number(),
  createdAt: time,
  things: v.array(text), // names of the members
  policies: v.array(text), // names of the attached IoT policies
});

const certificate = v.strictObject({
  id: text, // SHA-256 of the DER, 64 hex digits
  pem: text,
  status: v.picklist(["ACTIVE", "INACTIVE", "REVOKED"]),
  createdAt: time,
  modifiedAt: time,
  things: v.array(
    v.strictObject({ name: text, type: v.picklist(["EXCLUSIVE_THING", "NON_EXCLUSIVE_THING"]) }),
  ),
  policies: v.array(text), // names of the attached IoT policies
});

const iotPolicy = v.strictObject({
  name: text,
  tags,
  createdAt: time,
  modifiedAt: time,
  versions: v.array(policyVersion),
  defaultVersion: v.number(),
  nextVersion: v.number(), // a deleted version's number is not used again
});

const roleAlias = v.strictObject({
  name: text,
  roleArn: text,
  seconds: v.number(), // how long its credentials live
  tags,
  createdAt: time,
  modifiedAt: time,
});

/** A core device, from the moment when its nucleus first reports. */
const coreDevice = v.strictObject({
  name: text,
  version: text, // of its nucleus
  runtime: v.optional(text, "aws_nucleus_classic"),
  platform: text,
  architecture: text,
  status: v.picklist(["HEALTHY", "UNHEALTHY"]),
  updatedAt: time, // when its nucleus last reported
  sequence: v.optional(v.number(), 0), // of its last report
  components: v.array(
    v.strictObject({
      name: text,
      version: text,
      state: text,
      isRoot: v.boolean(),
      codes: v.optional(v.array(text), []), // why it is in that state, as its nucleus says
      reason: v.optional(text),
    }),
  ),
  authorities: v.array(text), // PEM of the CAs that it gave for its client devices
});

/** Where a core says that its client devices reach it. */
const address = v.strictObject({ id: text, host: text, port: v.number(), metadata: text });

/** What a deployment came to on one core. */
const execution = v.strictObject({
  core: text,
  status: v.picklist(["QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT", "REJECTED", "CANCELED"]),
  reason: v.optional(text),
  errors: v.array(text), // error codes, the outermost first
  errorTypes: v.optional(v.array(text), []),
  version: v.optional(v.number(), 1), // counts updates
  details: v.optional(textRecord, {}), // what the core last said of it
  createdAt: time,
  modifiedAt: time,
});

const deployment = v.pipe(
  v.strictObject({
    id: text,
    job: v.optional(text), // the id of its IoT job
    name: v.optional(text),
    target: text, // ARN of a thing or a thing group
    revision: text,
    latest: v.boolean(), // of its target
    canceled: v.boolean(),
    document: text, // JSON of what the caller sent, from which the job's document is made
    token: v.optional(text), // the caller's client token
    tags: textRecord,
    createdAt: time,
    executions: v.array(execution),
  }),
  // An older file's jobs have their deployments' ids.
  v.transform((one) => ({ ...one, job: one.job ?? one.id })),
);

const componentVersion = v.strictObject({
  arn: text,
  name: text,
  version: text,
  recipe: text,
  token: v.optional(text),
  tags: textRecord,
  createdAt: time,
});

/** Whether a thing is connected over MQTT, and since when. */
const connection = v.strictObject({
  thing: text,
  connected: v.boolean(),
  at: time,
  reason: v.optional(text),
});

/** How devices with a claim certificate become things. */
const provisioningTemplate = v.strictObject({
  name: text,
  description: v.optional(text),
  body: text, // JSON
  enabled: v.boolean(),
  roleArn: text,
  hook: v.optional(text), // ARN of the function that says whether a device may
  tags,
  createdAt: time,
  modifiedAt: time,
});

/** What a thing's shadow holds: the unnamed one has the name "". */
const shadow = v.strictObject({
  key: text, // thing and name
  desired: v.optional(v.unknown()),
  reported: v.optional(v.unknown()),
  version: v.number(),
  at: time,
});

/** What one region of the account holds: everything of IoT and Greengrass. */
const region = v.strictObject({
  name: text, // e.g. "eu-west-1"
  things: keyed("name", thing),
  groups: keyed("name", thingGroup),
  certificates: keyed("id", certificate),
  policies: keyed("name", iotPolicy),
  aliases: keyed("name", roleAlias),
  // the one Greengrass service role
  serviceRole: v.optional(v.strictObject({ arn: text, associatedAt: time })),
  // client devices of core devices
  associations: v.array(v.strictObject({ core: text, device: text, at: time })),
  // What follows came later: an older file does not have it.
  coreDevices: v.optional(keyed("name", coreDevice), []),
  connectivity: v.optional(
    keyed("thing", v.strictObject({ thing: text, addresses: v.array(address), version: v.number() })),
    [],
  ),
  connections: v.optional(keyed("thing", connection), []),
  deployments: v.optional(keyed("id", deployment), []),
  components: v.optional(keyed("arn", componentVersion), []),
  shadows: v.optional(keyed("key", shadow), []),
  templates: v.optional(keyed("name", provisioningTemplate), []),
});

const role = v.strictObject({
  name: text,
  path: text,
  id: text,
  description: v.optional(text),
  trust: text, // the assume-role policy document
  maxSessionSeconds: v.number(),
  tags,
  createdAt: time,
  inline: keyed("name", v.strictObject({ name: text, document: text })),
  attached: v.array(text), // ARNs of managed policies
});

const managedPolicy = v.strictObject({
  arn: text,
  name: text,
  path: text,
  id: text,
  description: v.optional(text),
  tags,
  createdAt: time,
  updatedAt: time,
  versions: v.array(policyVersion),
  defaultVersion: v.number(),
  nextVersion: v.number(),
});

/** Everything that the sandbox knows. This is also the format of its file, where each Map is a list. */
export const accountSchema = v.strictObject({
  format: v.literal(1),
  id: v.literal(SANDBOX_ACCOUNT),
  dataPrefix: v.pipe(text, v.regex(/^[a-z0-9]{14}$/)), // the account's part of its data endpoint
  // the account's part of its credentials endpoint
  credentialsPrefix: v.pipe(text, v.regex(/^[a-z0-9]{14}$/)),
  ca: v.strictObject({ key: text, certificate: text }), // signs every certificate of this account; both PEM
  roles: keyed("name", role),
  policies: keyed("arn", managedPolicy),
  regions: keyed("name", region),
});

export type Account = v.InferOutput<typeof accountSchema>;
export type Region = v.InferOutput<typeof region>;
export type Tag = v.InferOutput<typeof tag>;
export type PolicyVersion = v.InferOutput<typeof policyVersion>;
export type Thing = v.InferOutput<typeof thing>;
export type ThingGroup = v.InferOutput<typeof thingGroup>;
export type Certificate = v.InferOutput<typeof certificate>;
export type IotPolicy = v.InferOutput<typeof iotPolicy>;
export type RoleAlias = v.InferOutput<typeof roleAlias>;
export type CoreDevice = v.InferOutput<typeof coreDevice>;
export type Address = v.InferOutput<typeof address>;
export type ProvisioningTemplate = v.InferOutput<typeof provisioningTemplate>;
export type Shadow = v.InferOutput<typeof shadow>;
export type Execution = v.InferOutput<typeof execution>;
export type Deployment = v.InferOutput<typeof deployment>;
export type ComponentVersion = v.InferOutput<typeof componentVersion>;
export type Role = v.InferOutput<typeof role>;
export type ManagedPolicy = v.InferOutput<typeof managedPolicy>;

/** The region of that name, made empty where nothing was ever put into it. */
export function regionOf(account: Account, name: string): Region {
  let found = account.regions.get(name);
  if (found === undefined) {
    found = {
      name,
      things: new Map(),
      groups: new Map(),
      certificates: new Map(),
      policies: new Map(),
      aliases: new Map(),
      associations: [],
      coreDevices: new Map(),
      connectivity: new Map(),
      connections: new Map(),
      deployments: new Map(),
      components: new Map(),
      shadows: new Map(),
      templates: new Map(),
    };
    account.regions.set(name, found);
  }
  return found;
}

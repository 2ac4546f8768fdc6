import * as v from "valibot";
import type { Frozen } from "./table.ts";

/** The only account that a sandbox has. AWS gives no account an id of zeros. */
export const SANDBOX_ACCOUNT = "000000000000";

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

export const thing = v.strictObject({
  name: text,
  id: text, // a UUID that a thing made anew under the old name does not share
  attributes: textRecord,
  version: v.number(), // counts updates
});

export const thingGroup = v.strictObject({
  name: text,
  id: text,
  description: v.optional(text),
  attributes: textRecord,
  tags,
  version: v.number(),
  createdAt: time,
});

export const certificate = v.strictObject({
  id: text, // SHA-256 of the DER, 64 hex digits
  pem: text,
  status: v.picklist(["ACTIVE", "INACTIVE", "REVOKED"]),
  createdAt: time,
  modifiedAt: time,
});

/** A certificate speaks for a thing. */
export const principal = v.strictObject({ type: v.picklist(["EXCLUSIVE_THING", "NON_EXCLUSIVE_THING"]) });

/** One is related to the other, and there is nothing more to say. */
export const fact = v.strictObject({});

/** A client device may discover a core. */
export const association = v.strictObject({ at: time });

/** The Greengrass service role. */
export const serviceRole = v.strictObject({ arn: text, associatedAt: time });

export const iotPolicy = v.strictObject({
  name: text,
  tags,
  createdAt: time,
  modifiedAt: time,
  versions: v.array(policyVersion),
  defaultVersion: v.number(),
  nextVersion: v.number(), // a deleted version's number is not used again
});

export const roleAlias = v.strictObject({
  name: text,
  roleArn: text,
  seconds: v.number(), // how long its credentials live
  tags,
  createdAt: time,
  modifiedAt: time,
});

/** A core device, from the moment when its nucleus first reports. */
export const coreDevice = v.strictObject({
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
export const address = v.strictObject({ id: text, host: text, port: v.number(), metadata: text });

/** What a deployment came to on one core. */
export const execution = v.strictObject({
  status: v.picklist(["QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT", "REJECTED", "CANCELED"]),
  reason: v.optional(text),
  errors: v.array(text), // error codes, the outermost first
  errorTypes: v.optional(v.array(text), []),
  version: v.optional(v.number(), 1), // counts updates
  details: v.optional(textRecord, {}), // what the core last said of it
  createdAt: time,
  modifiedAt: time,
});

export const deployment = v.strictObject({
  id: text,
  job: text, // the id of its IoT job
  name: v.optional(text),
  target: text, // ARN of a thing or a thing group
  revision: text,
  latest: v.boolean(), // of its target
  canceled: v.boolean(),
  document: text, // JSON of what the caller sent, from which the job's document is made
  token: v.optional(text), // the caller's client token
  tags: textRecord,
  createdAt: time,
});

export const componentVersion = v.strictObject({
  arn: text,
  name: text,
  version: text,
  recipe: text,
  token: v.optional(text),
  tags: textRecord,
  createdAt: time,
});

/** Whether a thing is connected over MQTT, and since when. */
export const connection = v.strictObject({
  connected: v.boolean(),
  at: time,
  reason: v.optional(text),
});

/** How devices with a claim certificate become things. */
export const provisioningTemplate = v.strictObject({
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
export const shadow = v.strictObject({
  key: text, // thing and name
  desired: v.optional(v.unknown()),
  reported: v.optional(v.unknown()),
  version: v.number(),
  at: time,
});

export const role = v.strictObject({
  name: text,
  path: text,
  id: text,
  description: v.optional(text),
  trust: text, // the assume-role policy document
  maxSessionSeconds: v.number(),
  tags,
  createdAt: time,
  inline: v.array(v.strictObject({ name: text, document: text })),
  attached: v.array(text), // ARNs of managed policies
});

export const managedPolicy = v.strictObject({
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

/** What never changes in an account. */
export const identitySchema = v.strictObject({
  id: v.literal(SANDBOX_ACCOUNT),
  dataPrefix: v.pipe(text, v.regex(/^[a-z0-9]{14}$/)), // the account's part of its data endpoint
  // the account's part of its credentials endpoint
  credentialsPrefix: v.pipe(text, v.regex(/^[a-z0-9]{14}$/)),
  ca: v.strictObject({ key: text, certificate: text }), // signs every certificate of this account; both PEM
});

export type Identity = v.InferOutput<typeof identitySchema>;
export type Tag = v.InferOutput<typeof tag>;
export type PolicyVersion = v.InferOutput<typeof policyVersion>;
export type Thing = Frozen<v.InferOutput<typeof thing>>;
export type ThingGroup = Frozen<v.InferOutput<typeof thingGroup>>;
export type Certificate = Frozen<v.InferOutput<typeof certificate>>;
export type IotPolicy = Frozen<v.InferOutput<typeof iotPolicy>>;
export type RoleAlias = Frozen<v.InferOutput<typeof roleAlias>>;
export type CoreDevice = Frozen<v.InferOutput<typeof coreDevice>>;
export type Address = v.InferOutput<typeof address>;
export type ProvisioningTemplate = Frozen<v.InferOutput<typeof provisioningTemplate>>;
export type Shadow = Frozen<v.InferOutput<typeof shadow>>;
export type Execution = Frozen<v.InferOutput<typeof execution>>;
export type Deployment = Frozen<v.InferOutput<typeof deployment>>;
export type ComponentVersion = Frozen<v.InferOutput<typeof componentVersion>>;
export type Role = Frozen<v.InferOutput<typeof role>>;
export type ManagedPolicy = Frozen<v.InferOutput<typeof managedPolicy>>;

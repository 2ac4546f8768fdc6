import * as v from "valibot";
import { QUOTAS } from "../aws/quotas.ts";
import { faults } from "./faults.ts";
import { key, oneOf, text, wholeNumber } from "./key-rules.ts";
import { nameFault } from "./names.ts";
import { fileFault, hostFault, wordFault } from "./values.ts";

export const nameFix = (example: string): string => `${faults.name.fix}, e.g. ${example}`;

/** Of a core and of a thing. */
const registry = key(
  v.optional(text((value) => wordFault(value, ["terraform", "api"]))),
  "who makes it in the account: terraform or api; by default as [instance] registry says",
  "what one made the other does not take over by itself",
  "registry = terraform, or api",
);

/** The keys of [core NAME]. */
export const core = {
  group: {
    ...key(
      v.optional(text((value) => nameFault("group name", value))),
      "the thing group of the core; by default the instance's name",
      faults.name.why,
      nameFix("group = my-group"),
    ),
    inherits: "instance.name",
  },
  key: key(
    v.optional(text((value) => wordFault(value, ["laptop", "device"]))),
    "where the private key is made and stays: laptop (it goes out in the bundle) or " +
      "device (dospesos request fetches the request for a certificate); by default laptop in the sandbox " +
      "and where edge/keys has a key of the core, else device",
    "the certificate belongs to one key",
    "key = laptop, or device",
  ),
  sandbox: key(
    v.optional(text((value) => wordFault(value, ["simulated", "device"]))),
    "what the core is in the sandbox: simulated by it, or a device of yours that talks to it; by default " +
      "simulated, and a device where its key is on it",
    "two cores of one name would cut each other off",
    "sandbox = simulated, or device",
  ),
  runtime: key(
    oneOf("classic", "lite"),
    "the Greengrass runtime of the core: classic, which needs Java, or lite, AWS's nucleus lite for small devices",
    "each has a package, a configuration and components of its own",
    "runtime = classic, or lite",
  ),
  registry: { ...registry, inherits: "instance.registry" },
  host: key(
    v.optional(text(hostFault), ""),
    "[user@]host of the device, or an alias of your ssh configuration, for dospesos push",
    "it is given to ssh",
    "e.g. host = pi@core-1.local",
  ),
};

/** The keys of [thing NAME]. */
export const thing = {
  registry: { ...registry, inherits: "instance.registry" },
  core: key(
    text((value) => nameFault("core name", value)),
    "the core that the thing talks to",
    "a thing finds its core by this name",
    "core = core-1",
  ),
};

/** The keys of [quotas]: one for each operation, in small letters. */
export const quotas = Object.fromEntries(
  Object.entries(QUOTAS).map(([operation, rate]) => [
    quotaKey(operation),
    key(
      wholeNumber(String(rate), 1, 10_000),
      `calls of ${operation} a second that AWS IoT takes from this account`,
      "faster ones would be refused, and tried again",
      `${quotaKey(operation)} = ${rate}, or what Service Quotas shows for your account`,
    ),
  ]),
);

/** "AttachPolicy" as a key: attach_policy. */
export function quotaKey(operation: string): string {
  return operation.replaceAll(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

/** The key of [cores] and [things]. */
export function inventory(kind: "core" | "thing") {
  return key(
    v.optional(text(fileFault)),
    `a CSV file of the project with a row for each ${kind}, in place of sections; its columns are name and the keys ` +
      `of [${kind} NAME]`,
    "it is read as a part of the settings",
    `e.g. from = fleet/${kind}s.csv`,
  );
}

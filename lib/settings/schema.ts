import { type KeyRule, text, wholeNumber, port, key, truth, oneOf, componentVersion } from "./key-rules.ts";
import * as v from "valibot";
import { components, deployment } from "./components-schema.ts";
import { core, inventory, nameFix, quotas, thing } from "./device-schema.ts";
import { faults } from "./faults.ts";
import { nameFault } from "./names.ts";
import { REGIONS, regionFault } from "./regions.ts";
import {
  accountFault,
  bucketFault,
  endpointFault,
  fileFault,
  addressesIn,
  jvmOptionsFault,
  noProxyFault,
  nucleusFault,
  prefixFault,
  proxyFault,
  rootFault,
  sha256Fault,
  userFault,
  versionFault,
  wordFault,
} from "./values.ts";

/** Every key of settings.ini by section; `core` and `thing` stand for any number of sections with a name. */
export const schema = {
  aws: {
    account: key(
      text(accountFault),
      '"sandbox", or the 12-digit id of a real account',
      "credentials for any other account are refused",
      "account = sandbox, or e.g. account = 012345678901",
    ),
    region: key(
      text(regionFault),
      "the AWS region of every resource",
      "every resource, endpoint and certificate belongs to one region",
      `e.g. region = eu-west-1; with Greengrass V2 are ${REGIONS.join(", ")}`,
    ),
  },
  instance: {
    registry: key(
      oneOf("terraform", "api"),
      "who makes cores and things in the account: terraform, or api, AWS's registry called directly, for fleets of " +
        "hundreds and thousands",
      "what one made the other does not take over by itself",
      "registry = terraform, or api",
    ),
    name: key(
      text((value) => nameFault("instance name", value)),
      "prefix and tag of every shared resource",
      faults.name.why,
      nameFix("name = dospesos"),
    ),
  },
  greengrass: {
    version: key(
      text(versionFault),
      "version of the Greengrass nucleus, 2.9.5 or later",
      "the installer runs as root: it must be one signed version, the same on every device",
      "e.g. version = 2.16.0",
    ),
    root: key(
      v.optional(text(rootFault), "/greengrass/v2"),
      "folder of Greengrass on the device",
      "everything below it is created and removed by root",
      "e.g. root = /greengrass/v2",
    ),
    sha256: key(
      v.optional(v.pipe(text(sha256Fault), v.toLowerCase())),
      "SHA-256 of the nucleus zip",
      "it catches a changed download before anything of it runs as root",
      "write what sha256sum prints for the zip",
    ),
    nucleus: key(
      v.optional(text(nucleusFault), "none"),
      "where the nucleus zip comes from: none (you bring it to the device), download (from AWS), a folder, or an https URL of one",
      "the installer needs the zip, and downloads nothing itself",
      "nucleus = none, download, a folder as ./zips, or e.g. https://mirror.example.com/greengrass",
    ),
    posix_user: key(
      v.optional(text(userFault), "ggc_user:ggc_group"),
      "user[:group] that runs components",
      "components are other people's code",
      "e.g. posix_user = ggc_user:ggc_group",
    ),
    jvm_options: key(
      v.optional(text(jvmOptionsFault), ""),
      "options of the Java virtual machine of the nucleus",
      "the nucleus hands them to a shell that runs as root",
      "e.g. jvm_options = -Xmx128m -XX:+UseSerialGC",
    ),
    mqtt_port: key(
      port("8883"),
      "port of MQTT to AWS IoT Core: 8883 or 443",
      "AWS IoT Core listens for MQTT on these two only",
      "mqtt_port = 8883, or 443 where a firewall is in the way",
    ),
    data_plane_port: key(
      port("8443"),
      "port of the Greengrass data plane: 8443 or 443",
      "the Greengrass data plane listens on these two only",
      "data_plane_port = 8443, or 443 where a firewall is in the way",
    ),
    proxy_url: key(
      v.optional(text(proxyFault), ""),
      "proxy of the device: http, https or socks5",
      "the file is committed, and the bundle is copied to devices",
      "e.g. proxy_url = https://proxy.example.com:3128",
    ),
    no_proxy: key(
      v.optional(
        v.pipe(
          text(noProxyFault),
          v.transform((value) => addressesIn(value).join(",")),
        ),
        "",
      ),
      "host names and addresses that go past the proxy, separated by commas",
      "the nucleus takes each entry as a regular expression: one that is none ends its MQTT connection",
      "e.g. no_proxy = localhost,10.0.0.1",
    ),
    log_level: key(
      v.optional(
        text((value) => wordFault(value, ["DEBUG", "INFO", "WARN", "ERROR"])),
        "INFO",
      ),
      "what the nucleus logs: DEBUG, INFO, WARN or ERROR",
      "the nucleus knows only these levels",
      "log_level = INFO",
    ),
    polling_seconds: key(
      wholeNumber("15", 1, 86_400),
      "how often a device asks for deployments over HTTPS, in seconds",
      "a device would ask never, or all the time",
      "polling_seconds = 15",
    ),
    store_max_bytes: key(
      wholeNumber("10000000000", 1, Number.MAX_SAFE_INTEGER),
      "the most that components may take on the device's disk, in bytes",
      "the nucleus removes what is above the limit",
      "store_max_bytes = 10000000000",
    ),
    fips: key(
      truth("false"),
      "use FIPS 140 endpoints: true or false",
      "the nucleus knows only these two",
      "fips = false",
    ),
  },
  lite: {
    version: key(
      componentVersion("2.6.0"),
      "version of nucleus lite, for cores with runtime = lite",
      "the installer runs as root: it must be one package, the same on every device",
      "e.g. version = 2.6.0",
    ),
    package: key(
      v.optional(text(fileFault)),
      "the Debian package of nucleus lite, a file of this project; without it you bring it to the device",
      "it goes into the bundle",
      "e.g. package = ./debs/aws-greengrass-lite-2.6.0-Linux.deb",
    ),
    sha256: key(
      v.optional(v.pipe(text(sha256Fault), v.toLowerCase())),
      "SHA-256 of that package",
      "AWS does not sign it: the digest is what keeps another one from running as root",
      "write what sha256sum prints for the package",
    ),
  },
  sandbox: {
    terraform: key(
      v.pipe(
        oneOf("off", "on"),
        v.transform((word) => word === "on"),
      ),
      "whether real Terraform applies the modules to the sandbox: on or off",
      "a real account is always changed by Terraform",
      "terraform = on, or off for the sandbox's own way, which needs no Terraform",
    ),
    throttling: key(
      oneOf("off", "aws"),
      "whether the sandbox refuses calls above AWS's quotas, as AWS does: off or aws",
      "a fleet's first build then takes as long as it takes in AWS",
      "throttling = off, or aws",
    ),
    ports: key(
      v.optional(text((value) => wordFault(value, ["free", "aws"]))),
      "where dospesos sandbox listens for devices: free (any free ports) or aws (8883, 8443 and 443, which real " +
        "devices use); by default aws where a core is a device, else free",
      "a device cannot be told other ports than AWS's",
      "ports = aws, or free",
    ),
  },
  terraform: {
    binary: key(
      oneOf("terraform", "tofu"),
      "the program that applies the modules: terraform or tofu",
      "the modules are written for these two",
      "binary = terraform, or tofu",
    ),
    backend: key(
      oneOf("local", "s3"),
      "where the state is kept: local (terraform/state/) or s3",
      "a team needs one state, and a lock on it, for all",
      "backend = local, or s3 with a bucket",
    ),
    bucket: key(
      v.optional(text(bucketFault)),
      "S3 bucket of the state; made where there is none",
      "bucket names are the same for all of AWS",
      "e.g. bucket = acme-dospesos-state",
    ),
    prefix: key(
      v.optional(text(prefixFault), "dospesos"),
      "what the keys of the state begin with in the bucket",
      "other projects may keep their state in the same bucket",
      "e.g. prefix = dospesos",
    ),
    endpoint: key(
      v.optional(text(endpointFault), ""),
      "URL of another S3 than AWS's, for the state alone",
      "the state lies where this points",
      "e.g. endpoint = https://s3.example.com",
    ),
    parallelism: key(
      wholeNumber("10", 1, 100),
      "how many resources of a module Terraform changes at the same time",
      "AWS IoT allows some calls only ten times a second",
      "parallelism = 10",
    ),
  },
  components,
  deployment,
  quotas,
  cores: { from: inventory("core") },
  things: { from: inventory("thing") },
  core,
  thing,
};

export type SectionKind = keyof typeof schema;
export type NamedKind = "core" | "thing";
export const NAMED_KINDS: readonly NamedKind[] = ["core", "thing"];

/** The rules of a section by key, or undefined for a section that settings do not have. */
export function rulesOf(kind: string): ReadonlyMap<string, KeyRule> | undefined {
  return RULES.get(kind);
}

const RULES: ReadonlyMap<string, ReadonlyMap<string, KeyRule>> = new Map(
  Object.entries(schema).map(([kind, keys]) => [kind, new Map<string, KeyRule>(Object.entries(keys))]),
);

/** The sections that settings may have, in the order of the documentation. */
export const KINDS: readonly string[] = [...RULES.keys()];

/** The keys of a section, in the order of the documentation. */
export function keysOfSection(kind: string): string[] {
  return [...(rulesOf(kind)?.keys() ?? [])];
}

/** Whether settings can do without a section of this kind: every key has a default, or may be missing. */
export function isOptional(kind: string): boolean {
  return (
    kind === "thing" ||
    (!isNamed(kind) && [...(rulesOf(kind) ?? [])].every(([, rule]) => v.is(rule.schema, undefined)))
  );
}

/** Whether sections of this kind have a name, and stand any number of times. */
export function isNamed(kind: string): kind is NamedKind {
  return kind === "core" || kind === "thing";
}

/** The typed values of a section. */
export type Values<K extends SectionKind> = {
  readonly [Key in keyof (typeof schema)[K]]: Output<(typeof schema)[K][Key]>;
};
type Output<R> = R extends KeyRule<infer T> ? T : never;

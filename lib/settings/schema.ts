import * as v from "valibot";
import { faults } from "./faults.ts";
import { nameFault } from "./names.ts";
import { REGIONS, regionFault } from "./regions.ts";
import {
  accountFault, jvmOptionsFault, numberFault, proxyFault, rootFault, sha256Fault, userFault, versionFault, wordFault,
} from "./values.ts";

export type SettingValue = string | number | boolean;

/** What a key means and takes. */
export interface KeyRule<T extends SettingValue | undefined = SettingValue | undefined> {
  /** From the text in the file, or undefined where it is not set, to the value; an issue's message says what is wrong. */
  readonly schema: v.GenericSchema<string | undefined, T>;
  /** One line for the documentation. */
  readonly docs: string;
  /** What a wrong value would lead to. */
  readonly why: string;
  /** What to write instead. */
  readonly fix: string;
  /** The key whose value counts where this one is not set. */
  readonly inherits?: string;
}

/** A text that is taken unless `fault` says what is wrong with it. */
function text(fault: (value: string) => string | undefined) {
  return v.pipe(v.string(), v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed ? fault(dataset.value) : undefined;
    if (message !== undefined) addIssue({ message });
  }));
}

function wholeNumber(byDefault: string, least: number, most: number) {
  return v.optional(v.pipe(text((value) => numberFault(value, least, most)), v.transform(Number)), byDefault);
}

function port(byDefault: string) {
  return v.optional(v.pipe(text((value) => wordFault(value, [byDefault, "443"])), v.transform(Number)), byDefault);
}

function key<T extends SettingValue | undefined>(
  schema: v.GenericSchema<string | undefined, T>, docs: string, why: string, fix: string,
): KeyRule<T> {
  return { schema, docs, why, fix };
}

function truth(byDefault: "true" | "false") {
  const word = text((value) => wordFault(value, ["true", "false"]));
  return v.optional(v.pipe(word, v.transform((value) => value === "true")), byDefault);
}

const nameFix = (example: string): string => `${faults.name.fix}, e.g. ${example}`;

/** Every key of settings.ini by section; `core` and `thing` stand for any number of sections with a name. */
export const schema = {
  aws: {
    account: key(text(accountFault), '"sandbox", or the 12-digit id of a real account',
      "credentials for any other account are refused", "account = sandbox, or e.g. account = 012345678901"),
    region: key(text(regionFault), "the AWS region of every resource",
      "every resource, endpoint and certificate belongs to one region",
      `e.g. region = eu-west-1; with Greengrass V2 are ${REGIONS.join(", ")}`),
  },
  instance: {
    name: key(text((value) => nameFault("instance name", value)), "prefix and tag of every shared resource",
      faults.name.why, nameFix("name = dospesos")),
  },
  greengrass: {
    version: key(text(versionFault), "version of the Greengrass nucleus, 2.9.5 or later",
      "the installer runs as root: it must be one signed version, the same on every device", "e.g. version = 2.16.0"),
    root: key(v.optional(text(rootFault), "/greengrass/v2"), "folder of Greengrass on the device",
      "everything below it is created and removed by root", "e.g. root = /greengrass/v2"),
    sha256: key(v.optional(v.pipe(text(sha256Fault), v.toLowerCase())),
      "SHA-256 of the nucleus zip",
      "it tells a changed download before anything of it runs as root", "write what sha256sum prints for the zip"),
    posix_user: key(v.optional(text(userFault), "ggc_user:ggc_group"), "user[:group] that runs components",
      "components are other people's code", "e.g. posix_user = ggc_user:ggc_group"),
    jvm_options: key(v.optional(text(jvmOptionsFault), ""), "options of the Java virtual machine of the nucleus",
      "the nucleus hands them to a shell that runs as root", "e.g. jvm_options = -Xmx128m -XX:+UseSerialGC"),
    mqtt_port: key(port("8883"), "port of MQTT to AWS IoT Core: 8883 or 443",
      "AWS IoT Core listens for MQTT on these two only", "mqtt_port = 8883, or 443 where a firewall is in the way"),
    data_plane_port: key(port("8443"), "port of the Greengrass data plane: 8443 or 443",
      "the Greengrass data plane listens on these two only", "data_plane_port = 8443, or 443 where a firewall is in the way"),
    proxy_url: key(v.optional(text(proxyFault), ""), "proxy of the device: http, https or socks5",
      "the file is committed, and the bundle is copied to devices", "e.g. proxy_url = https://proxy.example.com:3128"),
    no_proxy: key(v.optional(v.string(), ""), "addresses that go past the proxy, separated by commas",
      "the device must reach them", "e.g. no_proxy = localhost,10.0.0.1"),
    log_level: key(v.optional(text((value) => wordFault(value, ["DEBUG", "INFO", "WARN", "ERROR"])), "INFO"),
      "what the nucleus logs: DEBUG, INFO, WARN or ERROR", "the nucleus knows only these levels", "log_level = INFO"),
    polling_seconds: key(wholeNumber("15", 1, 86_400), "how often a device asks for deployments over HTTPS, in seconds",
      "a device would ask never, or all the time", "polling_seconds = 15"),
    store_max_bytes: key(wholeNumber("10000000000", 1, Number.MAX_SAFE_INTEGER),
      "the most that components may take on the device's disk, in bytes",
      "the nucleus removes what is above the limit", "store_max_bytes = 10000000000"),
    fips: key(truth("false"),
      "use FIPS 140 endpoints: true or false", "the nucleus knows only these two", "fips = false"),
  },
  core: {
    group: {
      ...key(v.optional(text((value) => nameFault("group name", value))),
        "the thing group of the core; by default the instance's name", faults.name.why, nameFix("group = my-group")),
      inherits: "instance.name",
    },
  },
  thing: {
    core: key(text((value) => nameFault("core name", value)), "the core that the thing talks to",
      "a thing finds its core by this name", "core = core-1"),
  },
};

export type SectionKind = keyof typeof schema;
export type NamedKind = "core" | "thing";

/** The rules of a section by key, or undefined for a section that settings do not have. */
export function rulesOf(kind: string): ReadonlyMap<string, KeyRule> | undefined {
  return RULES.get(kind);
}

const RULES: ReadonlyMap<string, ReadonlyMap<string, KeyRule>> = new Map(
  Object.entries(schema).map(([kind, keys]) => [kind, new Map<string, KeyRule>(Object.entries(keys))]),
);

/** The sections that settings may have, in the order of the documentation. */
export const KINDS: readonly string[] = [...RULES.keys()];

/** Whether sections of this kind have a name, and stand any number of times. */
export function isNamed(kind: string): kind is NamedKind {
  return kind === "core" || kind === "thing";
}

/** The typed values of a section. */
export type Values<K extends SectionKind> = { readonly [Key in keyof (typeof schema)[K]]: Output<(typeof schema)[K][Key]> };
type Output<R> = R extends KeyRule<infer T> ? T : never;

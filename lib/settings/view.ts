import { didYouMean, type SourceLocation, ProblemError } from "../problem/index.ts";
import { QUOTAS } from "../aws/quotas.ts";
import { quotaKey } from "./device-schema.ts";
import { faults } from "./faults.ts";
import { type NamedKind, rulesOf, type Values } from "./schema.ts";
import type { SettingValue } from "./key-rules.ts";

/** Lists that follow from the cores and things: the groups, and the cores and things of one. */
export type GroupList = "group" | `cores of group ${string}` | `things of group ${string}`;

/** What the typed view asks its values from; the build engine implements it, and records each read. */
export interface SettingsReader {
  /** A value that says how fast something is done, and not what: who reads it does not depend on it. */
  pace: (key: string) => SettingValue | undefined;
  value: (key: string) => SettingValue | undefined;
  names: (kind: NamedKind | GroupList) => readonly string[];
  /**
   * Runs body for one instance, so that what is read in it can be told apart from what is read for the
   * others.
   */
  forSection: <T>(kind: NamedKind | "group", name: string, body: () => T) => T;
  /**
   * The same, but what is read in it counts for who calls the function that it gives, and for nobody else.
   */
  isolate: <T>(body: () => T) => () => T;
  locationOf: (key: string) => SourceLocation | undefined;
  file: () => string;
}

/** The settings as rules use them: `settings.aws.region`, `settings.cores.map((core) => core.name)`. */
export interface Settings {
  readonly aws: Values<"aws">;
  readonly instance: Values<"instance">;
  readonly greengrass: Values<"greengrass">;
  readonly terraform: Values<"terraform">;
  readonly components: Values<"components">;
  readonly lite: Values<"lite">;
  readonly deployment: Values<"deployment">;
  readonly cores: Instances<CoreSettings>;
  readonly things: Instances<ThingSettings>;
  /** The thing groups that cores are in, in the order of their first cores. */
  readonly groups: Instances<GroupSettings>;
  /** Whether the account is the embedded one. */
  readonly sandbox: boolean;
  /** Whether Terraform applies the modules: always in a real account. */
  readonly usesTerraform: boolean;
  /** How many calls of an operation a second the account takes, e.g. of AttachPolicy. No step depends on it. */
  readonly quotas: Readonly<Record<string, number>>;
  /** Whether the sandbox keeps AWS's quotas. No step depends on it. */
  readonly isThrottled: boolean;
  /** Where the sandbox listens for devices; undefined: on AWS's ports where a core is a device. */
  readonly sandboxPorts: "free" | "aws" | undefined;
}

export interface CoreSettings {
  readonly name: string;
  /** The thing group of the core. */
  readonly group: string;
  /** Where the private key is made. */
  readonly key: "laptop" | "device";
  /** What the core is in the sandbox. */
  readonly sandbox: "simulated" | "device";
  readonly runtime: "classic" | "lite";
  /** Who makes it in the account. */
  readonly registry: "terraform" | "api";
  /** Where ssh finds the device, or empty. */
  readonly host: string;
}

export interface ThingSettings {
  readonly name: string;
  /** The name of the core that the thing talks to. */
  readonly core: string;
  /** Who makes it in the account. */
  readonly registry: "terraform" | "api";
}

/** A thing group: who reads it depends on who is in it, and on no other core. */
export interface GroupSettings {
  readonly name: string;
  /** The names of its cores, in the order of the file. */
  readonly cores: readonly string[];
  /** The names of the things that talk to them, sorted. */
  readonly things: readonly string[];
}

/** All cores, all things or all groups, in the order of the file. */
export interface Instances<T> extends Iterable<T> {
  readonly length: number;
  /** Calls body for each through the reader's `each`. */
  map: <U>(body: (one: T) => U) => U[];
  /**
   * Calls body for each and keeps what it gives apart: a step depends on what body read for those that it was
   * made from, and on no others. So body must hand nothing out but its result.
   */
  mapIsolated: <U>(body: (one: T) => U) => Isolated<U>;
  /** The one by this name. Throws ProblemError (exit code 2) where there is none. */
  get: (name: string) => T;
}

/**
 * What was made for each core, or thing; in the order of the file. Can be asked while the graph is made, not
 * by a recipe.
 */
export interface Isolated<U> extends Iterable<U> {
  /** What was made for the one by this name. Throws ProblemError (exit code 2) where there is none. */
  get: (name: string) => U;
}

/**
 * The typed view of what the reader gives. It reads nothing until a property is read.
 * A property that does not exist throws ProblemError (exit code 2).
 */
export function settingsView(reader: SettingsReader): Settings {
  const [core, thing] = [
    sectionView<CoreSettings>(reader, "core"),
    sectionView<ThingSettings>(reader, "thing"),
  ];
  const plain: Settings = {
    aws: sectionView<Values<"aws">>(reader, "aws")(),
    instance: sectionView<Values<"instance">>(reader, "instance")(),
    greengrass: sectionView<Values<"greengrass">>(reader, "greengrass")(),
    terraform: sectionView<Values<"terraform">>(reader, "terraform")(),
    components: sectionView<Values<"components">>(reader, "components")(),
    lite: sectionView<Values<"lite">>(reader, "lite")(),
    deployment: sectionView<Values<"deployment">>(reader, "deployment")(),
    cores: instances(reader, "core", core),
    things: instances(reader, "thing", thing),
    groups: instances(reader, "group", (name) => ({
      name,
      get cores() {
        return reader.names(`cores of group ${name}`);
      },
      get things() {
        return reader.names(`things of group ${name}`);
      },
    })),
    get sandbox() {
      return reader.value("aws.account") === "sandbox";
    },
    get usesTerraform() {
      return reader.value("aws.account") !== "sandbox" || reader.value("sandbox.terraform") === true;
    },
    get quotas() {
      return Object.fromEntries(
        Object.keys(QUOTAS).map((operation) => [
          operation,
          reader.pace(`quotas.${quotaKey(operation)}`) as number,
        ]),
      );
    },
    get isThrottled() {
      return reader.pace("sandbox.throttling") === "aws";
    },
    get sandboxPorts() {
      return reader.value("sandbox.ports") as Settings["sandboxPorts"];
    },
  };
  return new Proxy(
    Object.freeze(plain),
    strict(reader, () => ""),
  );
}

const TITLE = Symbol("title of the section");

interface Titled {
  readonly [TITLE]: string;
}

/**
 * Makes views of the sections of a kind, with a getter for each key that the schema has; the checks of the
 * schema are what makes them a T. The getters are the same for all: ten thousand cores would have as many
 * shapes.
 */
function sectionView<T extends object>(reader: SettingsReader, kind: string): (name?: string) => T {
  const keys: PropertyDescriptorMap = {};
  for (const key of rulesOf(kind)?.keys() ?? []) {
    keys[key] = {
      enumerable: true,
      get(this: Titled) {
        return reader.value(`${this[TITLE]}.${key}`);
      },
    };
  }
  const handler = strict<Titled>(reader, (section) => `[${section[TITLE]}] `);
  return (name) => {
    const target = name === undefined ? {} : { name };
    Object.defineProperty(target, TITLE, { value: name === undefined ? kind : `${kind} ${name}` });
    return new Proxy(Object.freeze(Object.defineProperties(target, keys)) as Titled, handler) as unknown as T;
  };
}

/** What runtimes ask of any object: these are answered, not refused. */
const ASKED_OF_ANY: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  "then",
  "toJSON",
  "inspect",
]);

/**
 * Makes unknown properties throw instead of being undefined. `where`: what the object is in the file, or
 * empty.
 */
function strict<T extends object>(reader: SettingsReader, where: (object: T) => string): ProxyHandler<T> {
  return {
    get(object, property, receiver) {
      if (typeof property === "symbol" || Object.hasOwn(object, property) || ASKED_OF_ANY.has(property)) {
        return Reflect.get(object, property, receiver);
      }
      const keys = Object.keys(object);
      throw missing(
        reader,
        `${where(object)}${property}`,
        didYouMean(property, keys),
        `use one of ${keys.join(", ")}`,
      );
    },
  };
}

function instances<T>(
  reader: SettingsReader,
  kind: NamedKind | "group",
  view: (name: string) => T,
): Instances<T> {
  const absent = (name: string): ProblemError =>
    missing(
      reader,
      `[${kind} ${name}]`,
      didYouMean(name, reader.names(kind)),
      "add it, or ask for one that is there",
    );
  const plain: Instances<T> = {
    get length() {
      return reader.names(kind).length;
    },
    map: (body) => reader.names(kind).map((name) => reader.forSection(kind, name, () => body(view(name)))),
    mapIsolated(body) {
      const made = new Map(reader.names(kind).map((name) => [name, reader.isolate(() => body(view(name)))]));
      return {
        get(name) {
          const take = made.get(name);
          if (take === undefined) {
            throw absent(name);
          }
          return take();
        },
        *[Symbol.iterator]() {
          for (const name of reader.names(kind)) {
            yield this.get(name);
          }
        },
      };
    },
    get(name) {
      if (reader.names(kind).includes(name)) {
        return view(name);
      }
      throw absent(name);
    },
    *[Symbol.iterator]() {
      for (const name of reader.names(kind)) {
        yield view(name);
      }
    },
  };
  return new Proxy(
    Object.freeze(plain),
    strict(reader, () => `${kind}s `),
  );
}

function missing(
  reader: SettingsReader,
  requested: string,
  meant: string | undefined,
  fix: string,
): ProblemError {
  const what = `${reader.file()} has no ${requested}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
  return new ProblemError([{ ...faults.noSuchSetting, what, fix }]);
}

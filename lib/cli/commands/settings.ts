import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ENVIRONMENT_NAME, environmentName } from "../../layout.ts";
import {
  isNamed,
  KINDS,
  NAMED_KINDS,
  keysOfSection,
  readSettings,
  type SettingsFile,
} from "../../settings/index.ts";
import { command } from "../command.ts";

const FILE = "settings.ini";

/**
 * `dospesos settings`: every setting with its value, default or not, and where it stands. With --diff only those that
 * are not the same in all environments.
 */
export const settings = command({
  options: { diff: { type: "boolean", help: "only what is not the same in all environments" } },
  exits: { 0: "listed" },
  examples: ["settings", "settings -e prod", "settings --diff"],
  locks: false,
  run: async ({ root, emit, options }) => {
    if (!options.diff) {
      const content = read(root, environmentName());
      for (const key of keysOf(content)) {
        const value = content.value(key);
        const location = content.locationOf(key);
        emit({
          type: "setting",
          key,
          value: value ?? null,
          ...(location === undefined ? {} : { location }),
        });
      }
      return 0;
    }
    const environments = ["", ...environmentsOf(root)];
    const contents = environments.map((name) => read(root, name));
    const report = (key: string, values: readonly (string | number | boolean | null)[]): void => {
      if (values.some((value) => value !== values[0])) {
        const entries = environments.map((name, index) => [name || "default", values[index]!] as const);
        emit({ type: "setting-difference", key, values: Object.fromEntries(entries) });
      }
    };
    for (const kind of NAMED_KINDS) {
      report(
        `number of ${kind}s`,
        contents.map((content) => content.names(kind).length),
      );
    }
    // Of what is not in all of them the number says enough.
    const common = keysOf(contents[0]!).filter((key) =>
      contents.every((one) => one.locationOf(key) !== undefined || !key.includes(" ")),
    );
    for (const key of common) {
      report(
        key,
        contents.map((content) => content.value(key) ?? null),
      );
    }
    emit({ type: "setting-differences", environments: environments.map((name) => name || "default") });
    return 0;
  },
});

function read(root: string, environment: string): SettingsFile {
  return readSettings(join(root, FILE), FILE, environment).settings;
}

/** The environments that have a settings file here. */
function environmentsOf(root: string): string[] {
  return readdirSync(root)
    .flatMap((name) => /^settings\.(.+)\.ini$/.exec(name)?.[1] ?? [])
    .filter((name) => ENVIRONMENT_NAME.test(name))
    .sort();
}

/** All keys that can have a value, in the order of the documentation. */
function keysOf(content: SettingsFile): string[] {
  return KINDS.flatMap((kind) =>
    (isNamed(kind) ? content.names(kind).map((name) => `${kind} ${name}`) : [kind]).flatMap((title) =>
      keysOfSection(kind).map((key) => `${title}.${key}`),
    ),
  );
}

export { parseSettings, type SettingsFile } from "./parse.ts";
export { environmentFile, readSettings } from "./read.ts";
export { isNamed, keysOfSection, KINDS, NAMED_KINDS, type NamedKind, schema } from "./schema.ts";
export { type KeyRule, type SettingValue } from "./key-rules.ts";
export {
  type Isolated as ByName,
  type CoreSettings,
  type GroupSettings,
  type Instances,
  type Settings,
  type SettingsReader,
  settingsView,
  type ThingSettings,
} from "./view.ts";

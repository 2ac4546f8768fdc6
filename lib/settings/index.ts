export { parseSettings, type SettingsFile } from "./parse.ts";
export { readSettings } from "./read.ts";
export { type NamedKind, schema } from "./schema.ts";
export { type KeyRule, type SettingValue } from "./key-rules.ts";
export {
  type Isolated as ByName,
  type CoreSettings,
  type Instances,
  type Settings,
  type SettingsReader,
  settingsView,
  type ThingSettings,
} from "./view.ts";

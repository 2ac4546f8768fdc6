import { existsSync } from "node:fs";
import { join } from "node:path";
import { privateKeyFile } from "../layout.ts";
import type { SettingsFile } from "./parse.ts";

const CORE_KEY = /^core (.+)\.key$/;

/**
 * Settings in which each core says where its private key is made. Where it is not written, that is the laptop in the
 * sandbox, and wherever the project has a key of the core already; else the device, which the key then never leaves.
 */
export function withKeyPlaces(settings: SettingsFile, root: string): SettingsFile {
  const places = new Map<string, "laptop" | "device">();
  const placeOf = (core: string): "laptop" | "device" => {
    let place = places.get(core);
    if (place === undefined) {
      const isLocal =
        settings.value("aws.account") === "sandbox" || existsSync(join(root, privateKeyFile(core)));
      places.set(core, (place = isLocal ? "laptop" : "device"));
    }
    return place;
  };
  return {
    ...settings,
    value: (key) => {
      const value = settings.value(key);
      const core = value === undefined ? CORE_KEY.exec(key)?.[1] : undefined;
      return core !== undefined && settings.locationOf(key) !== undefined ? placeOf(core) : value;
    },
  };
}

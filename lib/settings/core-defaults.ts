import { existsSync } from "node:fs";
import { join } from "node:path";
import { privateKeyFile } from "../layout.ts";
import type { SettingsFile } from "./parse.ts";

const DERIVED = /^core (.+)\.(key|sandbox)$/;

/**
 * Settings in which each core says where its private key is made, and whether the sandbox simulates it.
 *
 * Where it is not written, a key is made on the laptop in the sandbox, and wherever the project has a key of the core
 * already; else on the device, which it then never leaves. A core whose key is on a device is that device in the
 * sandbox, too.
 */
export function withCoreDefaults(settings: SettingsFile, root: string): SettingsFile {
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
      const [, core, what] = value === undefined ? (DERIVED.exec(key) ?? []) : [];
      if (core === undefined || settings.locationOf(key) === undefined) {
        return value;
      }
      if (what === "key") {
        return placeOf(core);
      }
      return settings.value(`core ${core}.key`) === "device" ? "device" : "simulated";
    },
  };
}

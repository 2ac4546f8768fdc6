import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { variablesFile } from "../layout.ts";
import type { ModuleName } from "../modules/contract.ts";
import type { SettingsContent } from "../engine/index.ts";
import { settingsView, type Settings } from "../settings/index.ts";
import { isAppliedHere, type ModuleInstance } from "../terraform/module-instance.ts";
import type { ModuleWork } from "../terraform/module-work.ts";
import { accountId } from "./account.ts";
import { markerFile } from "./account-effect.ts";
import { backendOf } from "./backend.ts";

/** The settings as a command reads them, which depends on nothing. */
export function settingsOf(content: SettingsContent, file: string): Settings {
  return settingsView({
    value: (key) => content.value(key),
    pace: (key) => content.value(key),
    names: (kind) => content.names(kind),
    locationOf: (key) => content.locationOf(key),
    file: () => file,
    forSection: (_, __, body) => body(),
    isolate: (body) => {
      const value = body();
      return () => value;
    },
  });
}

/** A module as it is applied with the present settings. */
export function moduleInstance(
  { root, settings }: { readonly root: string; readonly settings: Settings },
  module: ModuleName,
  name: string,
): ModuleInstance {
  return { module, name, account: accountId(settings), region: settings.aws.region, root };
}

/** Whether the module's marker says that Terraform applied it here. */
function isMarkedApplied(instance: ModuleInstance): boolean {
  const marker = join(instance.root, markerFile(instance.module, instance.name));
  return existsSync(marker) && isAppliedHere(readFileSync(marker, "utf8"), instance);
}

/**
 * What is known of a module without running its step: with the variables that were rendered last, or the given
 * ones. Undefined if there are none.
 */
export function moduleWork(
  root: string,
  settings: Settings,
  module: ModuleName,
  name: string,
  given?: string,
): ModuleWork | undefined {
  const file = join(root, variablesFile(module, name));
  const variablesText = given ?? (existsSync(file) ? readFileSync(file, "utf8") : undefined);
  if (variablesText === undefined) {
    return undefined;
  }
  const instance = moduleInstance({ root, settings }, module, name);
  return {
    instance,
    backend: backendOf(settings),
    variablesText,
    variables: JSON.parse(variablesText) as Record<string, string>,
    applied: isMarkedApplied(instance),
    parallelism: settings.terraform.parallelism,
  };
}

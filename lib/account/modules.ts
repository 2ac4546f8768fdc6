import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { targetsOf, type Graph, type Session, type SettingsContent } from "../engine/index.ts";
import { settingsView, type Settings } from "../settings/index.ts";
import { isAppliedHere, type ModulePlace } from "../terraform/place.ts";
import type { ModuleWork } from "../terraform/plan.ts";
import { accountId } from "./account.ts";
import { backendOf } from "./terraform-effect.ts";
import { moduleMarker } from "./terraform-module.ts";

/** A module that a step of the graph applies. */
export interface DeclaredModule {
  readonly step: number;
  readonly module: string;
  readonly name: string;
  readonly marker: string;
}

const MARKER = /^terraform\/([^/]+)\/([^/]+)\.applied\.json$/;

/** The modules that steps of the graph apply. */
export function declaredModules({ state }: Pick<Session, "state">, graph: Graph): DeclaredModule[] {
  return Array.from(graph.effectName, (label, step) => {
    const [marker = ""] = label === "" ? [] : targetsOf(state, graph, step);
    const [, module, name] = MARKER.exec(marker) ?? [];
    return module === undefined || name === undefined ? [] : [{ step, module, name, marker }];
  }).flat();
}

/** The settings as a command reads them, which depends on nothing. */
export function settingsOf(content: SettingsContent, file: string): Settings {
  return settingsView({
    value: (key) => content.value(key),
    names: (kind) => content.names(kind),
    place: (key) => content.place(key),
    file: () => file,
    each: (_, __, body) => body(),
    apart: (body) => {
      const value = body();
      return () => value;
    },
  });
}

/** Whether the module's marker tells that Terraform applied it here. */
export function isMarkedApplied(place: ModulePlace): boolean {
  const marker = join(place.root, moduleMarker(place.module, place.name));
  return existsSync(marker) && isAppliedHere(readFileSync(marker, "utf8"), place);
}

/**
 * What is known of a module without running its step: the variables that were rendered last. Undefined if
 * there are none.
 */
export function moduleWork(
  root: string,
  settings: Settings,
  module: string,
  name: string,
): ModuleWork | undefined {
  const file = join(root, "terraform", module, `${name}.tfvars.json`);
  if (!existsSync(file)) {
    return undefined;
  }
  const variablesText = readFileSync(file, "utf8");
  const place = { module, name, account: accountId(settings), region: settings.aws.region, root };
  return {
    place,
    backend: backendOf(settings),
    variablesText,
    variables: JSON.parse(variablesText) as Record<string, string>,
    applied: isMarkedApplied(place),
    parallelism: settings.terraform.parallelism,
  };
}

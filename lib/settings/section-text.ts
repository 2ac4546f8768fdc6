import * as v from "valibot";
import { shown } from "../problem/index.ts";
import { isNamed, rulesOf } from "./schema.ts";

export function question(meant: string | undefined): string {
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}

export function header(kind: string): string {
  return isNamed(kind) ? `[${kind} NAME]` : `[${kind}]`;
}

export function requiredKeys(kind: string): string {
  return [...(rulesOf(kind) ?? [])]
    .filter(([, rule]) => !v.is(rule.schema, undefined))
    .map(([key]) => key)
    .join(", ");
}

/** Names that stand for something else in the project or in AWS. */
export function takenFault(kind: string, name: string): string | undefined {
  // edge/out/things, deployments and components are beside one folder for each core
  if (kind === "core" && ["things", "deployments", "components"].includes(name.toLowerCase())) {
    return `core name ${shown(name)} is a reserved name`;
  }
  // the thing CORE-gci is Greengrass' own: its shadow tells the core of new connectivity information
  return /-gci$/i.test(name)
    ? `${kind} name ${shown(name)} ends in -gci, which Greengrass uses for a thing of its own`
    : undefined;
}

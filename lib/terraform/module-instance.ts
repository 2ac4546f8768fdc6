import { join } from "node:path";
import { accountFolder } from "../layout.ts";
import type { ModuleName } from "../modules/contract.ts";

/** One module applied with one set of variables: what it is called, and where all that belongs to it lies. */
export interface ModuleInstance {
  /** "instance", "core" or "thing": the folder below terraform/. */
  readonly module: ModuleName;
  readonly name: string;
  /** 12 digits. Another account or region is another world: its state is never taken for this one's. */
  readonly account: string;
  readonly region: string;
  /** The project's folder. */
  readonly root: string;
}

/** The local state, relative to the project: `terraform/state/<account>/<region>/<module>/<name>.tfstate`. */
export function stateFile(instance: ModuleInstance): string {
  return `${moduleFolder(instance)}/${instance.name}.tfstate`;
}

/**
 * What the last apply left as the state, relative to the project: it outlives the marker, which a clean
 * removes.
 */
export function recordFile(instance: ModuleInstance): string {
  return `${moduleFolder(instance)}/${instance.name}.record.json`;
}

/** The folder where Terraform works, 0700: a copy of the module, plans, logs, and who runs now. Absolute. */
export function workFolder(instance: ModuleInstance): string {
  return join(instance.root, moduleFolder(instance), `${instance.name}.work`);
}

/** The copy of the module that Terraform runs in, with its own lock file and data folder. Absolute. */
export function moduleCopy(instance: ModuleInstance): string {
  return join(workFolder(instance), "module");
}

/** As a person calls it: "core core-1". */
export function instanceName({ module, name }: ModuleInstance): string {
  return `${module} ${name}`;
}

/** Where states, records and work folders of one module are, relative to the project. */
export function moduleFolder({
  account,
  region,
  module,
}: Pick<ModuleInstance, "account" | "region" | "module">): string {
  return `${accountFolder()}/${account}/${region}/${module}`;
}

/**
 * Whether a marker's text says that Terraform applied the module here: the state, or the record of one
 * elsewhere, is a prerequisite.
 */
export function isAppliedHere(marker: string, instance: ModuleInstance): boolean {
  return marker.includes(`"${stateFile(instance)}"`) || marker.includes(`"${recordFile(instance)}"`);
}

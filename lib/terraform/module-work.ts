import type { Backend } from "./backend.ts";
import type { ModuleInstance } from "./module-instance.ts";

/** What is to be applied, and where. */
export interface ModuleWork {
  readonly instance: ModuleInstance;
  readonly backend: Backend;
  /** The text of the variables file, and what is in it. */
  readonly variablesText: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Whether a marker says that it was applied before. */
  readonly applied: boolean;
  /** How many resources are changed at the same time. */
  readonly parallelism: number;
  /** The plan is shown to a person, with what changes in each resource. */
  readonly shown?: boolean;
}

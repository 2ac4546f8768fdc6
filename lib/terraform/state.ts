import { accountFolder } from "../layout.ts";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../file/index.ts";
import { ProblemError, type Code } from "../problem/index.ts";
import type { Backend } from "./backend.ts";
import { runTerraform, type Terraform } from "./child.ts";
import {
  moduleCopy,
  instanceName,
  recordFile,
  stateFile,
  workFolder,
  type ModuleInstance,
} from "./module-instance.ts";

/** What Terraform remembers of a module, as far as it matters here (state format 4). */
export interface State {
  /**
   * Made with the state and kept for its life: two states of different lineage have nothing to do with each
   * other.
   */
  readonly lineage: string;
  /** Grows with every change. */
  readonly serial: number;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly resources: readonly StateResource[];
}

export interface StateResource {
  /** e.g. "aws_iot_thing.core" */
  readonly address: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Making it failed after it was there: Terraform would destroy it and make it anew. */
  readonly tainted: boolean;
}

/** The state that our last apply left. */
export interface StateRecord {
  readonly lineage: string;
  readonly serial: number;
}

interface StateFile {
  readonly version: number;
  readonly lineage: string;
  readonly serial: number;
  readonly outputs?: Readonly<Record<string, { readonly value: unknown }>>;
  readonly resources?: readonly {
    readonly mode: string;
    readonly type: string;
    readonly name: string;
    readonly instances?: readonly { readonly attributes?: object; readonly status?: string }[];
  }[];
}

/** The state in a file's text, or undefined if it is not a whole one. */
export function parseState(text: string): State | undefined {
  try {
    const { version, lineage, serial, outputs = {}, resources = [] } = JSON.parse(text) as StateFile;
    if (version !== 4 || typeof lineage !== "string" || typeof serial !== "number") {
      return undefined;
    }
    return {
      lineage,
      serial,
      outputs: Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value])),
      // While it makes a resource, Terraform keeps a place for it, without an instance: a run that was killed
      // leaves that.
      resources: resources
        .filter(({ mode }) => mode === "managed")
        .flatMap(({ type, name, instances = [] }) =>
          instances.slice(0, 1).map(({ attributes, status }) => ({
            address: `${type}.${name}`,
            attributes: { ...attributes },
            tainted: status === "tainted",
          })),
        ),
    };
  } catch {
    return undefined;
  }
}

/** The state now, or undefined where nothing was ever applied. From S3 Terraform itself fetches it. */
export async function currentState(
  terraform: Terraform,
  instance: ModuleInstance,
  backend: Backend,
): Promise<State | undefined> {
  if (backend.kind === "local") {
    return localState(instance);
  }
  const { stdout } = await runTerraform(terraform, instance, { command: "state", args: ["pull"] });
  rmSync(join(workFolder(instance), "state.log"), { force: true });
  const state = parseState(stdout);
  // Where there is none, some versions give one without a lineage.
  return state?.lineage === "" ? undefined : state;
}

export function localState(instance: ModuleInstance): State | undefined {
  const text = readIfThere(join(instance.root, stateFile(instance)));
  return text === undefined ? undefined : parseState(text);
}

export function recorded(instance: ModuleInstance): StateRecord | undefined {
  const text = readIfThere(join(instance.root, recordFile(instance)));
  return text === undefined ? undefined : (JSON.parse(text) as StateRecord);
}

export function record(instance: ModuleInstance, { lineage, serial }: State): void {
  const text = `${JSON.stringify({ lineage, serial })}\n`;
  if (readIfThere(join(instance.root, recordFile(instance))) !== text) {
    replaceFile(join(instance.root, recordFile(instance)), text, { mode: 0o600 });
  }
}

/**
 * Stops before Terraform would take a state that is damaged, gone or another one for "nothing exists yet",
 * and make everything a second time. `applied`: whether a marker says that the module was applied.
 * @throws ProblemError (exit 4) with the way out.
 */
export function guardState(instance: ModuleInstance, backend: Backend, applied: boolean): void {
  const file = stateFile(instance);
  const stop = (code: Code, what: string, why: string, fix: string): never => {
    throw new ProblemError([
      { code, location: { file }, what: `${instanceName(instance)}: ${what}`, why, fix },
    ]);
  };
  const errored = join(moduleCopy(instance), "errored.tfstate");
  if (existsSync(errored)) {
    const folder = moduleCopy(instance).slice(instance.root.length + 1);
    stop(
      "DP410",
      "Terraform could not write its state, and left the newest one in errored.tfstate",
      "what the last apply made is only there",
      `terraform -chdir=${folder} state push errored.tfstate && rm ${folder}/errored.tfstate, then build again`,
    );
  }
  const known = recorded(instance);
  const text = readIfThere(join(instance.root, file));
  if (backend.kind === "s3") {
    const there = text === undefined ? undefined : parseState(text);
    if (there !== undefined && there.resources.length > 0) {
      stop(
        "DP414",
        "its state is here, but the settings say that it lies in S3",
        "Terraform would find nothing in S3 and make everything a second time",
        "dospesos move-state moves it there; or set [terraform] backend = local",
      );
    }
    return;
  }
  const backup = existsSync(join(instance.root, `${file}.backup`))
    ? `cp ${file}.backup ${file}, or put back a copy of yours`
    : "put back a copy of yours";
  const forget =
    `if nothing of it exists in the account any more: rm -f ${file} ` +
    `${recordFile(instance)} ${accountFolder()}/effects/${instance.module}/${instance.name}.json`;
  const why = "Terraform would take it that nothing exists, and make everything a second time";
  if (text === undefined) {
    if (known !== undefined || applied) {
      stop("DP411", "it was applied, but its state is gone", why, `${backup}; ${forget}`);
    }
    return;
  }
  const state = parseState(text);
  if (text.trim() === "") {
    stop("DP412", "its state is empty", why, `${backup}; ${forget}`);
  }
  if (state === undefined) {
    stop("DP412", "its state is damaged", why, `${backup}; ${forget}`);
  }
  checkLineage(instance, state!, known);
}

/** The same of a state that Terraform fetched: gone, or another one. Throws a ProblemError (exit 4). */
export function guardCurrent(
  { instance, applied }: { readonly instance: ModuleInstance; readonly applied: boolean },
  state: State | undefined,
): void {
  const known = recorded(instance);
  if (state !== undefined) {
    return checkLineage(instance, state, known);
  }
  if (known === undefined && !applied) {
    return;
  }
  throw new ProblemError([
    {
      code: "DP411",
      location: { file: recordFile(instance) },
      what: `${instanceName(instance)}: it was applied, but the place that the settings name has no state of it`,
      why: "Terraform would take it that nothing exists, and make everything a second time",
      fix:
        "put [terraform] back to where the state is, or restore the object's last version " +
        "in S3; if nothing of it exists in the account any more: rm -f " +
        `${recordFile(instance)} ${accountFolder()}/effects/${instance.module}/${instance.name}.json`,
    },
  ]);
}

/** @throws ProblemError (exit 4) where the state is not the one that was applied before. */
function checkLineage(instance: ModuleInstance, state: State, known: StateRecord | undefined): void {
  if (known === undefined || known.lineage === state.lineage) {
    return;
  }
  throw new ProblemError([
    {
      code: "DP413",
      location: { file: stateFile(instance) },
      what: `${instanceName(instance)}: its state is another one: lineage ${state.lineage}, but ${known.lineage} was applied`,
      why: "what this state does not know would be made a second time",
      fix: `put the right state back; or, if this one is meant: rm ${recordFile(instance)}`,
    },
  ]);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
